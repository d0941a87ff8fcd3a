"""The HTTP side over real sockets: what it answers, and what it does with those who misbehave."""

import json
import runpy
from pathlib import Path

import psutil
import pytest

from capacity.domain.resources import Resource
from capacity.monitor.notes import Notes

ASKING_AGENTS = runpy.run_path(str(Path(__file__).with_name("asking_agents.py")))
serve = ASKING_AGENTS["serve"]
ask = ASKING_AGENTS["ask"]
send = ASKING_AGENTS["send"]
tls = ASKING_AGENTS["tls"]


def seqs(body):
    return [json.loads(line)["seq"] for line in body.splitlines()]


def test_info_is_one_json_document(serve):
    server = serve()
    status, headers, body = ask(server, "/v1/info")
    info = json.loads(body)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert info["target_pids"] == [server.sampler.view.root]
    assert info["limits"][0]["state"] == "known"


def test_a_limit_that_is_changed_is_told_to_who_asks_next(serve, bystander):
    server = serve()
    soft, hard = psutil.Process(bystander.pid).rlimit(psutil.RLIMIT_NOFILE)
    psutil.Process(bystander.pid).rlimit(psutil.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        server.sampler._limits_read_at_s = float("-inf")
        [told] = json.loads(ask(server, "/v1/info")[2])["limits"]
    finally:
        psutil.Process(bystander.pid).rlimit(psutil.RLIMIT_NOFILE, (soft, hard))

    assert soft - 1 == told["value"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3]),
        ("?since=0", [1, 2, 3]),
        ("?since=1", [2, 3]),
        ("?since=3", []),
        ("?since=99", []),
    ],
)
def test_samples_are_those_after_the_number(serve, query, expected):
    status, headers, body = ask(serve(), f"/v1/samples{query}")

    assert (status, headers["Content-Type"]) == (200, "application/x-ndjson")
    assert (seqs(body), headers["Capacity-Newest-Seq"]) == (expected, "3")


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "%C2%B2", "+1"])
def test_a_number_that_is_none_is_refused(serve, since):
    status, _, body = ask(serve(), f"/v1/samples?since={since}")

    assert status == 400
    assert "sequence number" in json.loads(body)["error"]


def test_who_listens_on_a_port_is_looked_up_when_asked(serve, start_child):
    child = start_child(
        "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
    )
    status, headers, body = ask(serve(), f"/v1/port?number={child.said[0]}")
    [holder] = json.loads(body)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (holder["pid"], holder["is_watched"]) == (child.pid, False)


@pytest.mark.parametrize("number", ["", "0", "65536", "99999999999999999999", "x", "-1"])
def test_a_port_that_is_none_is_refused(serve, number):
    status, _, body = ask(serve(), f"/v1/port?number={number}")

    assert status == 400
    assert "1 to 65535" in json.loads(body)["error"]


def test_one_at_a_time_may_have_the_processes_looked_through(serve):
    server = serve()
    with server.looking:
        assert 503 == ask(server, "/v1/port?number=1")[0]
    assert 200 == ask(server, "/v1/port?number=1")[0]


def test_metrics_are_text(serve):
    status, headers, body = ask(serve(), "/metrics")

    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"\ncapacity_descriptors " in body


def test_metrics_before_the_first_sample_hold_the_limits(serve):
    _, _, body = ask(serve(samples=0), "/metrics")

    assert b"\ncapacity_descriptors_limit " in body
    assert b"\ncapacity_descriptors " not in body


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/info/", "/V1/INFO", "/../etc/passwd", "/%2e%2e/x", "//"]
)
def test_anything_else_is_not_there(serve, path):
    status, headers, body = ask(serve(), path)

    assert (status, headers["Content-Type"]) == (404, "application/json")
    assert "/v1/samples" in json.loads(body)["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "BREW"])
def test_nothing_but_reading_is_understood(serve, method):
    status, headers, body = ask(serve(), "/v1/info", method=method)

    assert (status, headers["Content-Type"]) == (501, "application/json")
    assert json.loads(body)["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic s3cret"}, 401),
        ({"Authorization": "bearer s3cret"}, 200),
        ({"Authorization": "s3cret"}, 401),
        ({"Authorization": "Bearer s3cret "}, 200),
        ({"Authorization": "Bearer \xfc"}, 401),
        ({"Authorization": "Bearer s3cret"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/v1/info", "/v1/samples", "/v1/port?number=1", "/metrics"])
def test_with_a_token_only_its_bearer_may_read(serve, path, headers, status):
    assert ask(serve("s3cret"), path, headers)[0] == status


def test_a_refusal_says_how_to_ask_and_paths_are_not_given_away(serve):
    status, headers, body = ask(serve("s3cret"), "/nothing")

    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"samples" not in body


def test_health_is_open(serve):
    assert ask(serve("s3cret"), "/healthz")[::2] == (200, b"ok\n")


def test_a_body_is_not_taken_for_a_second_request(serve):
    inner = b"GET /v1/info HTTP/1.1\r\n\r\n"
    head = b"GET /healthz HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(inner)

    assert send(serve(), head + inner).count(b"HTTP/1.1 200") == 1


def test_a_defect_is_shown(serve, capfd):
    server = serve()
    del server.ring  # Something that cannot be.
    send(server, b"GET /v1/samples HTTP/1.1\r\n\r\n")

    assert "AttributeError" in capfd.readouterr().err


def test_what_the_agent_notes_about_itself_is_in_the_info(serve):
    notes = Notes()
    notes.say("spool", "is full")

    assert json.loads(ask(serve(notes=notes), "/v1/info")[2])["notes"] == ["is full"]


def test_ipv6_is_served(serve):
    server = serve(host="::1")

    assert ask(server, "/healthz")[0] == 200
    assert server.sampler.limits[0].resource is Resource.DESCRIPTORS


@pytest.mark.parametrize(
    "request_line",
    [
        "GET http://[ HTTP/1.1",
        f"GET /v1/samples?since={'9' * 30_000} HTTP/1.1",
        f"GET /v1/port?number={'9' * 30_000} HTTP/1.1",
        "GET /v1/samples?since=-1 HTTP/1.1",
    ],
)
def test_a_request_that_is_none_is_a_bad_request_and_no_traceback(serve, request_line, capfd):
    answer = send(serve(), f"{request_line}\r\nHost: localhost\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "" == capfd.readouterr().err


def test_a_page_of_the_web_whose_name_leads_here_is_told_nothing(serve):
    answer = send(serve(), b"GET /v1/info HTTP/1.1\r\nHost: evil.example:9101\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 421 ")
    assert b"target_pids" not in answer
