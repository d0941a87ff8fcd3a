"""Exchanges with real servers on loopback that say exactly what the test has them say."""

import contextlib
import fcntl
import itertools
import os
import resource
import runpy
import socket
import struct
from pathlib import Path

import gevent
import pytest
from gevent.server import StreamServer

from capacity.loadgen.wire import http_connection as module
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.http_connection import ExchangeError, HttpConnection
from capacity.loadgen.wire.memory_budget import MemoryBudget
from capacity.settings.targets.certificates import Certificates

FOLDER = Path(__file__).parents[1]
TLS = runpy.run_path(str(FOLDER / "tls_target.py"))
ConnectProxy = runpy.run_path(str(FOLDER / "connect_proxy.py"))["ConnectProxy"]
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TIMEOUT_S = 0.5


class Server:
    """Answers each request with the next of its answers: bytes, or a function of the socket."""

    def __init__(self):
        self.answers = itertools.repeat(OK)
        self.requests, self.peers = [], []
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.port = self._server.server_port

    def stop(self):
        self._server.stop(timeout=0)

    def _serve(self, sock, address):
        self.peers.append(address[0])
        while request := sock.recv(65536):
            self.requests.append(request)
            answer = next(self.answers)
            if not isinstance(answer, bytes):
                answer(sock)
                return
            sock.sendall(answer)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def connect():
    """Return a connection to the server's port, closed at the end of the test."""
    connections = []

    def connect_to(port, *, is_kept=True, scheme="http", **endpoint):
        asked = Endpoint(url=f"{scheme}://127.0.0.1:{port}/", timeout_s=2, **endpoint)
        connections.append(
            HttpConnection(
                lambda: asked, is_kept=is_kept, max_answer_bytes=5000, timeout_s=TIMEOUT_S
            )
        )
        return connections[-1]

    yield connect_to
    for connection in connections:
        connection.close()


def exchange(connection, *, is_repeatable=True):
    return connection.exchange(REQUEST, is_repeatable=is_repeatable)


def failure(connection, **options):
    with pytest.raises(ExchangeError) as error:
        exchange(connection, **options)
    return str(error.value)


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


def test_nobody_there_is_told_apart_from_connections_of_subscribers(server, connect):
    server.stop()

    assert "request_connect_refused" == failure(connect(server.port))


def test_a_target_that_does_not_accept_in_time_is_said_so(connect):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert "request_connect_timeout" == failure(connect(port))


def test_a_greenlet_that_is_killed_leaves_no_connection_behind(server, connect):
    server.answers = iter([wait])
    connection = connect(server.port)
    greenlet = gevent.spawn(exchange, connection)
    gevent.sleep(0.05)
    greenlet.kill()

    assert connection._socket is None


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return TLS["Authority"](tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture
def secured(server, authority):
    front = TLS["fronted"](server.port, authority.certificate("DNS:exchange.example"))
    yield front
    front.stop(timeout=0)


def test_over_tls_the_handshake_is_timed_apart_and_the_connection_kept(
    server, secured, authority, connect
):
    trusted = Certificates(ca_file=authority.file, server_name="exchange.example")
    connection = connect(secured.server_port, scheme="https", certificates=trusted)
    openings = [exchange(connection).opening_us for _ in range(3)]

    assert [{"tcp", "tls"}, set(), set()] == [set(opening) for opening in openings]
    assert min(openings[0].values()) > 0
    assert ["exchange.example"] == secured.asked_names


@pytest.mark.parametrize("server_name", [None, "other.example"])
def test_a_certificate_that_is_not_accepted_has_the_reason_of_websocket_connections(
    secured, authority, connect, server_name
):
    trusted = Certificates(ca_file=authority.file, server_name=server_name)

    assert "tls_certificate" == failure(
        connect(secured.server_port, scheme="https", certificates=trusted)
    )


def test_no_certificate_is_trusted_unless_an_authority_vouches_for_it(secured, connect):
    assert "tls_certificate" == failure(connect(secured.server_port, scheme="https"))


def test_a_target_that_wants_to_know_who_we_are_is_shown_our_certificate(
    server, authority, connect
):
    front = TLS["fronted"](
        server.port, authority.certificate("IP:127.0.0.1"), client_authority=authority.file
    )
    certificate, key = authority.certificate("DNS:generator.example")
    shown = authority.trusted(client_certificate_file=certificate, client_key_file=key)
    reasons = failure(connect(front.server_port, scheme="https", certificates=authority.trusted()))
    answer = exchange(connect(front.server_port, scheme="https", certificates=shown))
    front.stop(timeout=0)

    assert ("tls_client_certificate", 200) == (reasons, answer.status)


def test_polls_go_through_the_proxy(server, connect):
    proxy = ConnectProxy()
    answer = exchange(connect(server.port, proxy=proxy.url))
    proxy.close()

    assert (200, {"tcp", "proxy"}) == (answer.status, set(answer.opening_us))


def test_a_proxy_that_does_not_connect_polls_has_the_reason_of_websocket_connections(
    server, connect
):
    proxy = ConnectProxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    reason = failure(connect(server.port, proxy=proxy.url))
    proxy.close()

    assert "proxy_rejected_407" == reason


def test_connections_leave_from_their_source_address(server, connect):
    exchange(connect(server.port, source_address="127.0.0.7"))
    reason = failure(connect(server.port, source_address="192.0.2.1"))

    assert (["127.0.0.7"], "generator_source_address") == (server.peers, reason)


@pytest.fixture
def low_descriptors_taken():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip(f"needs 1,200 descriptors, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    taken = []
    while not taken or taken[-1] < 1024:
        taken.append(fcntl.fcntl(0, fcntl.F_DUPFD, 3))
    yield
    for descriptor in taken:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_above_descriptor_1023_is_kept(low_descriptors_taken, server, connect):
    connection = connect(server.port)
    for _ in range(5):
        exchange(connection)

    assert connection._socket.fileno() > 1023
    assert 1 == len(server.peers)
