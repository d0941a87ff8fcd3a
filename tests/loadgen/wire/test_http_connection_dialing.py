"""How HTTP connections are opened: addresses, TLS, a proxy, high descriptors."""

import fcntl
import os
import resource
import runpy
import socket
from pathlib import Path

import pytest

from capacity.settings.targets.certificates import Certificates

HTTP_EXCHANGES = runpy.run_path(str(Path(__file__).with_name("http_exchanges.py")))
server = HTTP_EXCHANGES["server"]
connect = HTTP_EXCHANGES["connect"]
exchange = HTTP_EXCHANGES["exchange"]
failure = HTTP_EXCHANGES["failure"]
FOLDER = Path(__file__).parents[1]
TLS = runpy.run_path(str(FOLDER / "tls_target.py"))
ConnectProxy = runpy.run_path(str(FOLDER / "connect_proxy.py"))["ConnectProxy"]


def test_nobody_there_is_told_apart_from_connections_of_subscribers(server, connect):
    server.stop()

    assert "request_connect_refused" == failure(connect(server.port))


def test_a_target_that_does_not_accept_in_time_is_said_so(connect):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert "request_connect_timeout" == failure(connect(port))


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
