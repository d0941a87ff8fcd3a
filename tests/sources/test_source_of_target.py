"""Each origin that a target file may name opens as what it is."""

import socket

import pytest

from capacity.settings.target import Target
from capacity.sources.agent import AgentClient
from capacity.sources.local import LocalSampler
from capacity.sources.metrics.exporters import ExporterScraper
from capacity.sources.metrics.prometheus import PrometheusReader
from capacity.sources.pushed import PushedSamples
from capacity.sources.source_of_target import open_source


def target(agent):
    return Target.model_validate(
        {
            "target": 1,
            "name": "here",
            "host": "127.0.0.1",
            "port": 1,
            "dialect": "deribit",
            "symbols": ["BTC-PERPETUAL"],
            "channels": ["ticker"],
            "agent": agent,
        }
    )


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(
    ("section", "kind", "name"),
    [
        ({"url": "http://127.0.0.1:9"}, AgentClient, "the agent at http://127.0.0.1:9"),
        ({"prometheus": {"url": "http://h:1"}}, PrometheusReader, "Prometheus at http://h:1"),
        (
            {"exporters": {"urls": ["http://h:1/m"]}},
            ExporterScraper,
            "the exporter at http://h:1/m",
        ),
    ],
)
def test_an_origin_opens_as_what_it_is(section, kind, name):
    source = open_source(target(section))

    assert isinstance(source, kind)
    assert name == source.name
    assert source.delay_s > 0
    source.close()


def test_a_listener_opens_and_closes():
    source = open_source(target({"listen": free_address()}))

    assert isinstance(source, PushedSamples)
    source.close()


def test_the_sampler_opens_on_who_is_there(exchange):
    source = open_source(target({"local": {"port": exchange.port}}))

    assert isinstance(source, LocalSampler)
    source.close()


def test_a_target_that_names_nothing_has_no_source():
    assert open_source(target(None)) is None
