"""Against a real agent; what no real agent answers is served by a small server."""

import json
import time

import pytest
import requests

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.resources import Resource
from capacity.sources import web
from capacity.sources.agent import NEWEST_SEQ, AgentClient

SAMPLE = {
    "seq": 1,
    "at": 1.0,
    "interval_s": 1.0,
    "used": {},
    "gauges": {},
    "counters": {},
    "missing": {},
    "target_started_at": 1.0,
}


@pytest.fixture
def client(agent):
    return AgentClient(f"{agent.url}/")


def sampled(client, count):
    deadline_s = time.monotonic() + 10
    while len(samples := client.samples(0)) < count and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return samples


def test_the_agent_says_whom_it_watches_within_which_limits(client, exchange):
    info = client.info()

    assert exchange.pid in info.target_pids
    assert Resource.DESCRIPTORS in {limit.resource for limit in info.limits}


def test_samples_come_oldest_first_and_only_those_after_the_asked_number(client):
    samples = sampled(client, 3)
    later = client.samples(samples[1].seq)

    assert [sample.seq for sample in samples] == list(range(1, len(samples) + 1))
    assert samples[2] == later[0]
    assert samples[2].used[Resource.DESCRIPTORS] > 0


def test_one_clock_has_no_offset_beyond_the_error_it_is_known_with(client):
    offset = client.clock_offset()

    assert abs(offset.offset_s) <= offset.error_s
    assert 0 < offset.error_s < 0.1


def test_a_clock_that_is_behind_has_a_negative_offset(serve, agent):
    def half_a_minute_ago(_environ, start_response):
        info = requests.get(f"{agent.url}/v1/info", timeout=5).json()
        info["now"] -= 30
        start_response("200 OK", [])
        return [json.dumps(info).encode()]

    offset = AgentClient(serve(half_a_minute_ago)).clock_offset(probes=2)

    assert pytest.approx(-30, abs=offset.error_s) == offset.offset_s


def test_a_restarted_agent_is_asked_for_all_it_has(serve):
    def count_anew(environ, start_response):
        since = int(environ["QUERY_STRING"].removeprefix("since="))
        start_response("200 OK", [(NEWEST_SEQ, "2")])
        samples = [{**SAMPLE, "seq": seq} for seq in (1, 2) if seq > since]
        return [b"".join(json.dumps(sample).encode() + b"\n" for sample in samples)]

    client = AgentClient(serve(count_anew))

    assert [1, 2] == [sample.seq for sample in client.samples(500)]
    assert [2] == [sample.seq for sample in client.samples(1)]
    assert [] == client.samples(2)


def test_the_token_of_the_file_opens_what_is_closed_without_it(start_agent, exchange, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text("a-long-enough-token-of-32-letters\n")
    token_file.chmod(0o600)
    agent = start_agent("--pid", exchange.pid, "--token-file", token_file)
    wrong_file = tmp_path / "wrong"
    wrong_file.write_text("b")
    wrong_file.chmod(0o600)

    assert exchange.pid in AgentClient(agent.url, token_file).info().target_pids
    for file in (None, wrong_file):
        with pytest.raises(UnreachableError, match=r"refuses the token; set agent\.token_file"):
            AgentClient(agent.url, file).info()


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["absent", "no text"])
def test_a_token_file_that_cannot_be_read_is_named(tmp_path, content):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
        file.chmod(0o600)
    with pytest.raises(ConfigError, match=f"{file}: cannot read the agent's token"):
        AgentClient("http://127.0.0.1:1", file)


def test_nobody_there_is_said_with_what_to_do():
    with pytest.raises(
        UnreachableError, match=r"does not answer \(ConnectionRefusedError\); start it"
    ):
        AgentClient("http://127.0.0.1:1").info()


def test_an_agent_that_keeps_silent_is_given_up(serve, monkeypatch):
    monkeypatch.setattr(web, "TIMEOUT_S", 0.2)

    def keep_silent(_environ, start_response):
        time.sleep(1)
        start_response("200 OK", [])
        return []

    with pytest.raises(UnreachableError, match="nothing came for"):
        AgentClient(serve(keep_silent)).info()


def test_somebody_else_at_the_address_is_told_from_an_agent(answering, exchange):
    with pytest.raises(
        UnreachableError, match=r"not as an agent of this version \(.* 1\d fields more"
    ):
        AgentClient(answering(b'{"status": "fine"}')).info()
    with pytest.raises(UnreachableError, match="/v1/info answers 404"):
        AgentClient(exchange.url).info()


def test_a_sample_that_cannot_be_read_is_not_passed_over(answering):
    line = json.dumps({**SAMPLE, "at": "noon"}).encode()
    with pytest.raises(UnreachableError, match="a sample cannot be read"):
        AgentClient(answering(line)).samples(0)


def test_the_agent_says_who_listens_on_a_port_of_its_host(client, exchange):
    [holder] = client.port_holders(exchange.port)

    assert (exchange.pid, True) == (holder.pid, holder.is_watched)
    assert (exchange.port,) == client.info().listening_ports


@pytest.mark.parametrize("body", [b'{"no": 1}', b"junk"])
def test_an_agent_that_cannot_look_who_listens_is_no_trouble(answering, exchange, body):
    assert AgentClient(answering(body)).port_holders(80) is None
    assert AgentClient(exchange.url).port_holders(80) is None, "as one of an older version"
