"""An agent that pushes, played to the contract: its numbers, its restarts, its silence, its clock."""

import http.client
import json
import runpy
import socket
import time
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, PreflightError, UnreachableError
from capacity.settings.agent import Agent
from capacity.sources import pushed
from capacity.sources.border import INFO
from capacity.sources.push_server import RefusedError
from capacity.sources.pushed import PushedSamples, pushed_to

AGENT = runpy.run_path(str(Path(__file__).parents[1] / "agent_samples.py"))
HERE = AGENT["agent_info"]()
lines = AGENT["lines"]


def info(**changes):
    return INFO.dump_json(replace(HERE, **{"now": time.time(), **changes}))


@pytest.fixture
def inbox():
    return PushedSamples("127.0.0.1:1")


@pytest.fixture
def fed(inbox):
    inbox.take_info(info(), None, 0.0)
    return inbox


def numbers(inbox, since=0):
    return [sample.seq for sample in inbox.samples(since)]


def refusal(call, *arguments):
    with pytest.raises(RefusedError) as error:
        call(*arguments)
    return error.value.status


def test_samples_come_in_order_and_the_next_number_is_wanted(fed):
    assert 4 == fed.take_samples(lines(1, 2, 3), 3)
    assert 6 == fed.take_samples(lines(4, 5), 5)
    assert [1, 2, 3, 4, 5] == numbers(fed)
    assert [5] == numbers(fed, 4)
    assert "exchange" == fed.info().target_name


def test_samples_before_the_info_are_a_conflict(inbox):
    assert HTTPStatus.CONFLICT == refusal(inbox.take_samples, lines(1), 1)


def test_what_was_sent_again_because_our_answer_was_lost_is_taken_once(fed):
    fed.take_samples(lines(1, 2, 3), 3)

    assert 5 == fed.take_samples(lines(2, 3, 4), 4)
    assert [1, 2, 3, 4] == numbers(fed)


def test_what_is_missing_in_the_agents_numbers_is_missing_in_ours(fed):
    fed.take_samples(lines(1, 2), 2)
    fed.take_samples(lines(7, 8), 8)

    assert [1, 2, 7, 8] == numbers(fed)


def test_numbers_go_on_when_the_agent_was_restarted(fed):
    fed.take_samples(lines(1, 2, 3), 3)

    assert 1 == fed.take_info(info(), 2, 0.0), "it has two, so it is asked from the first on"
    assert 3 == fed.take_samples(lines(1, 2, begin_at=2000.0), 2)
    assert [1, 2, 3, 4, 5] == numbers(fed)


def test_a_restart_shows_without_the_header_too(fed):
    fed.take_samples(lines(1, 2, 3), None)
    fed.take_info(info(), None, 0.0)

    assert 3 == fed.take_samples(lines(1, 2, begin_at=2000.0), None)
    assert [1, 2, 3, 4, 5] == numbers(fed)


def test_of_what_an_agent_gathered_before_only_the_end_is_wanted(inbox):
    assert 3541 == inbox.take_info(info(), 3600, 0.0)
    assert 3542 == inbox.take_samples(lines(3541), 3600)


def test_another_agent_is_refused_while_the_first_is_at_it(fed, monkeypatch):
    other = info(host="elsewhere")

    assert HTTPStatus.FORBIDDEN == refusal(fed.take_info, other, None, 0.0)
    monkeypatch.setattr(pushed, "SILENT_S", -1.0)
    fed.take_info(other, None, 0.0)


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"\xff", b'{"agent_version": 1}'])
def test_no_info_is_not_taken_for_one(inbox, body):
    assert HTTPStatus.UNPROCESSABLE_ENTITY == refusal(inbox.take_info, body, None, 0.0)


def test_a_body_with_a_bad_sample_is_refused_as_a_whole(fed):
    body = lines(1) + b'{"seq": "many"}\n'

    assert HTTPStatus.UNPROCESSABLE_ENTITY == refusal(fed.take_samples, body, 2)
    assert [] == fed.samples(0)


def test_an_agent_that_never_comes_is_named_after_a_while(inbox, monkeypatch):
    monkeypatch.setattr(pushed, "WAIT_S", 0.05)
    with pytest.raises(
        UnreachableError, match=r"pushes to 127\.0\.0\.1:1 has not pushed yet; start"
    ):
        inbox.info()


def test_an_agent_that_fell_silent_is_unreachable_once_its_samples_are_fetched(fed, monkeypatch):
    fed.take_samples(lines(1, 2), 2)
    monkeypatch.setattr(pushed, "SILENT_S", -1.0)

    assert [1, 2] == numbers(fed)
    with pytest.raises(UnreachableError, match="has not pushed for 0 s"):
        fed.samples(2)


@pytest.mark.parametrize("ahead_s", [-30.0, 0.0, 30.0])
def test_the_clock_is_that_of_the_youngest_info(inbox, ahead_s):
    held_up_s = 0.0
    for late_s in (0.5, 0.0, 0.2):
        began_s = time.time()
        inbox.take_info(info(now=began_s + ahead_s - late_s), None, 0.002)
        held_up_s = max(held_up_s, time.time() - began_s)
    offset = inbox.clock_offset()

    assert abs(offset.offset_s - ahead_s) <= offset.error_s + held_up_s
    assert offset.error_s < 0.1


def section(**keys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    return Agent.model_validate({"listen": listen, **keys})


def post(agent, path, body, token=None):
    connection = http.client.HTTPConnection(agent.listen, timeout=5)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_an_agent_is_heard_over_the_wire_with_the_token_of_the_file(tmp_path):
    token = tmp_path / "token"
    token.write_text("a-word-of-16-letters\n")
    token.chmod(0o600)
    agent = section(token_file=str(token))
    source = pushed_to(agent, agent.listen)

    assert 401 == post(agent, "/v1/info", info())[0]
    assert (200, {"next": 1}) == post(agent, "/v1/info", info(), "a-word-of-16-letters")
    assert (200, {"next": 3}) == post(agent, "/v1/samples", lines(1, 2), "a-word-of-16-letters")
    assert [1, 2] == numbers(source)
    source.close()
    with pytest.raises(ConnectionRefusedError):
        post(agent, "/v1/info", info(), "a-word-of-16-letters")


def test_the_same_section_is_opened_once_and_another_one_anew():
    agent = section()
    first = pushed_to(agent, agent.listen)

    assert first is pushed_to(agent, agent.listen)
    other = agent.model_copy(update={"ca_file": "another"})
    second = pushed_to(other, agent.listen)

    assert first is not second
    second.close()


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PreflightError, match=f"cannot listen on {listen} .*already in use"):
            pushed_to(Agent(listen=listen), listen)


def test_files_that_are_no_certificate_are_named(tmp_path):
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    agent = section(certificate_file=str(junk), key_file=str(junk))
    with pytest.raises(ConfigError, match=r"junk\.pem: not a certificate and its key in PEM"):
        pushed_to(agent, agent.listen)


def test_a_receiver_does_not_take_a_token_that_can_be_guessed(tmp_path):
    token = tmp_path / "token"
    token.write_text("x" * 15)
    token.chmod(0o600)
    agent = section(token_file=str(token))
    with pytest.raises(ConfigError, match="a token of 15 letters can be guessed"):
        pushed_to(agent, agent.listen)
