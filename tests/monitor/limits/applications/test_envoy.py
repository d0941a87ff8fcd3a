"""Envoy's bootstrap as JSON."""

import json

import pytest

WORDS = ("/usr/bin/envoy", "-c", "/etc/envoy.json")


def bootstrap(**parts):
    listener = {
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 8080}},
        "filter_chains": [{"filters": [{"typed_config": {"max_connections": 50}}]}],
    }
    return {"static_resources": {"listeners": [listener], **parts}}


def test_the_filter_of_a_listener_caps_its_port(made):
    made.write(WORDS[2], json.dumps(bootstrap()))

    assert made.caps(*WORDS) == [(50, (8080,))]


def test_circuit_breakers_are_told_with_their_default(made):
    clusters = [
        {"name": "a"},
        {"circuit_breakers": {"thresholds": [{"priority": "HIGH", "max_connections": 1}]}},
        {"circuit_breakers": {"thresholds": [{"max_connections": 7}]}},
    ]
    made.write(WORDS[2], json.dumps(bootstrap(clusters=clusters)))
    told = [entry for entry in made.entries(*WORDS) if entry.resource is None]

    assert [entry.value for entry in told] == [1024, 1024, 7]


def test_the_overload_manager_caps_all_ports(made):
    monitor = {"typed_config": {"max_active_downstream_connections": 90}}
    made.write(WORDS[2], json.dumps({"overload_manager": {"resource_monitors": [monitor]}}))

    assert made.caps(*WORDS) == [(90, ())]


@pytest.mark.parametrize("text", ["static_resources: {}\n", "[" * 100_000, "", '"x"'])
def test_what_is_no_json_is_unknown(made, text):
    made.write(WORDS[2], text)
    entries = made.entries(*WORDS)

    assert all(entry.value is None for entry in entries)
    assert text == '"x"' or "YAML is not read" in entries[0].reason


def test_a_number_that_is_none_is_unknown(made):
    made.write(
        WORDS[2], json.dumps({"overload_manager": {"max_active_downstream_connections": [5]}})
    )

    assert made.unknown(*WORDS).source == WORDS[2]


def test_a_configuration_that_comes_over_the_network_is_unknown(made):
    assert "over the network" in made.unknown("envoy", "--config-yaml", "secret").reason
