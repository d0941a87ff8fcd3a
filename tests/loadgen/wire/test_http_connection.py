"""Exchanges with real servers on loopback that say exactly what the test has them say."""

import contextlib
import itertools
import runpy
import socket
import struct
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.wire import http_connection as module
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.http_connection import HttpConnection
from capacity.loadgen.wire.memory_budget import MemoryBudget

HTTP_EXCHANGES = runpy.run_path(str(Path(__file__).with_name("http_exchanges.py")))
REQUEST = HTTP_EXCHANGES["REQUEST"]
OK = HTTP_EXCHANGES["OK"]
server = HTTP_EXCHANGES["server"]
connect = HTTP_EXCHANGES["connect"]
exchange = HTTP_EXCHANGES["exchange"]
failure = HTTP_EXCHANGES["failure"]


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def answer_then(data, end):
    def answer(sock):
        sock.sendall(data)
        end(sock)

    return answer


def hang_up(sock):
    """The server closes when an answer returns."""


def wait(_sock):
    gevent.sleep(3)


def test_an_answer_has_its_status_headers_and_body(server, connect):
    server.answers = iter(
        [b"HTTP/1.1 404 Not Found\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 3\r\n\r\nabc"]
    )
    answer = exchange(connect(server.port))

    assert (404, b"abc", ["1", "2"]) == (
        answer.status,
        answer.body,
        answer.headers.getlist("x-one"),
    )
    assert [REQUEST] == server.requests


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        answer_then(b"HTTP/1.1 200 OK\r\n\r\n{}", hang_up),
        answer_then(
            b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{", lambda s: s.sendall(b"}" * 8)
        ),
    ],
    ids=["chunked", "after an interim answer", "until the end", "in pieces"],
)
def test_bodies_come_in_every_form_that_http_has(server, connect, answer):
    server.answers = iter([answer])

    assert exchange(connect(server.port)).body.startswith(b"{}")


def test_a_kept_connection_is_opened_once_and_timed(server, connect):
    connection = connect(server.port)
    openings = [set(exchange(connection).opening_us) for _ in range(3)]

    assert [{"tcp"}, set(), set()] == openings
    assert 1 == len(server.peers)


def test_a_connection_that_is_not_kept_is_opened_each_time(server, connect):
    server.answers = itertools.repeat(answer_then(OK, hang_up))
    connection = connect(server.port, is_kept=False)
    openings = []
    for _ in range(3):
        openings.append(set(exchange(connection).opening_us))
        connection.finish()

    assert [{"tcp"}] * 3 == openings
    assert 3 == len(server.peers)


def test_the_target_is_let_close_first(server, connect):
    closing = []

    def close_later(_sock):
        gevent.sleep(0.1)
        closing.append("the target")

    server.answers = iter([answer_then(OK, close_later)])
    connection = connect(server.port, is_kept=False)
    exchange(connection)
    connection.finish()
    closing.append("we")

    assert ["the target", "we"] == closing


def test_a_target_that_does_not_close_as_asked_is_not_waited_for_long(server, connect, monkeypatch):
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.2)
    connection = connect(server.port, is_kept=False)
    exchange(connection)
    soon, late = gevent.spawn_later(0.1, int), gevent.spawn_later(30, int)
    connection.finish()
    waited = (soon.ready(), late.ready())
    late.kill()
    exchange(connection)

    assert (True, False) == waited
    assert 2 == len(server.peers)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_a_connection_that_the_target_does_not_keep_is_not_used_again(server, connect, answer):
    server.answers = itertools.repeat(answer)
    connection = connect(server.port)
    for _ in range(2):
        exchange(connection)

    assert 2 == len(server.peers)


@pytest.mark.parametrize("last_words", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_a_connection_that_the_target_ended_while_idle_is_opened_anew(server, connect, last_words):
    server.answers = itertools.chain(
        [answer_then(OK, lambda sock: sock.sendall(last_words))], itertools.repeat(OK)
    )
    connection = connect(server.port)
    exchange(connection)
    gevent.sleep(0.05)

    again = exchange(connection, is_repeatable=False)

    assert (200, {"tcp"}) == (again.status, set(again.opening_us))
    assert 2 == len(server.peers)


@pytest.mark.parametrize("end", [hang_up, reset])
def test_a_connection_that_ends_as_we_ask_is_asked_again_only_if_that_may_be_done_twice(
    server, connect, end
):
    server.answers = itertools.cycle([OK, end])
    connection = connect(server.port)
    exchange(connection)
    repeated = exchange(connection)

    assert (200, {"tcp"}) == (repeated.status, set(repeated.opening_us))
    assert "request_reset" == failure(connection, is_repeatable=False)
    assert 2 == len(server.peers)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (hang_up, "request_reset"),
        (reset, "request_reset"),
        (answer_then(b"HTTP/1.1 200", hang_up), "request_cut_short"),
        (answer_then(OK[:-1], hang_up), "request_cut_short"),
        (answer_then(OK[:-1], reset), "request_cut_short"),
        (wait, "request_timeout"),
        (answer_then(b"HTTP/1.1 200 OK\r\n", wait), "request_timeout"),
        (answer_then(OK[:-1], wait), "request_slow_body"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "request_invalid"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "request_invalid"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "request_invalid"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * 5000, "request_oversized"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000, "request_oversized"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 300, "request_oversized"),
    ],
)
def test_every_way_to_fail_has_its_reason_and_costs_only_the_connection(
    server, connect, answer, reason
):
    server.answers = itertools.chain([answer], itertools.repeat(OK))
    connection = connect(server.port)

    assert reason == failure(connection)
    assert 200 == exchange(connection).status
    assert 2 == len(server.peers)


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 4000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["headers", "interim answers"],
)
def test_heads_without_end_end_soon_however_large_a_body_may_be(server, head, line):
    sent = []

    def flood(sock):
        with contextlib.suppress(OSError):
            sock.sendall(head)
            while True:
                sock.sendall(line)
                sent.append(len(line))

    server.answers = iter([flood])
    here = Endpoint(url=f"http://127.0.0.1:{server.port}/", timeout_s=2)
    connection = HttpConnection(lambda: here, is_kept=True, max_answer_bytes=1 << 30, timeout_s=60)

    assert "request_oversized" == failure(connection)
    assert sum(sent) < 10_000_000  # What was under way; a gibibyte was allowed.


def test_others_have_their_turn_while_an_answer_pours_in(server, connect):
    turns = []

    def count():
        while True:
            turns.append(1)
            gevent.sleep(0)

    body = bytes(4_000_000)
    server.answers = iter([b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + body])
    here = Endpoint(url=f"http://127.0.0.1:{server.port}/", timeout_s=2)
    counter = gevent.spawn(count)
    connection = HttpConnection(lambda: here, is_kept=False, max_answer_bytes=1 << 30, timeout_s=60)
    answer = exchange(connection)
    connection.close()
    counter.kill()

    assert body == answer.body
    assert len(turns) > 10


def test_an_answer_that_is_the_largest_of_a_budget_that_is_spent_is_given_up(server):
    server.answers = iter([b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + bytes(400_000)])
    here = Endpoint(url=f"http://127.0.0.1:{server.port}/", timeout_s=2)
    budget = MemoryBudget(200_000)
    connection = HttpConnection(
        lambda: here, is_kept=True, max_answer_bytes=1 << 20, timeout_s=60, budget=budget
    )

    assert "request_memory_budget" == failure(connection)
    assert 0 == budget.held_bytes


def test_a_body_that_drips_is_given_up_in_time(server, connect):
    def drip(sock):
        with contextlib.suppress(OSError):  # Of who gives up.
            for byte in OK * 100:
                gevent.sleep(0.02)
                sock.sendall(bytes([byte]))

    server.answers = iter([answer_then(OK[:-2].replace(b": 2", b": 9999"), drip)])

    # Without an end of its own this goes on for a minute and more, and its body is not over then.
    assert "request_slow_body" == failure(connect(server.port))


def test_a_greenlet_that_is_killed_leaves_no_connection_behind(server, connect):
    server.answers = iter([wait])
    connection = connect(server.port)
    greenlet = gevent.spawn(exchange, connection)
    gevent.sleep(0.05)
    greenlet.kill()

    assert connection._socket is None
