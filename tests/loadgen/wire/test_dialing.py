"""Real sockets on loopback; how long each phase took is planted by what the server waits."""

import runpy
import socket
import ssl
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.wire.dialing import Laps, dial
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.source_addresses import SourceAddressError

FOLDER = Path(__file__).parents[1]
Authority = runpy.run_path(str(FOLDER / "tls_target.py"))["Authority"]
ConnectProxy = runpy.run_path(str(FOLDER / "connect_proxy.py"))["ConnectProxy"]


def endpoint_at(listener, host="127.0.0.1", scheme="ws", **options):
    host = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{host}:{listener.getsockname()[1]}/"
    return Endpoint(url=url, timeout_s=2.0, **options)


@pytest.mark.parametrize(
    ("source", "target", "seen"),
    [
        ("127.0.0.2", "127.0.0.1", "127.0.0.2"),
        ("::1", "::1", "::1"),
        (None, "127.0.0.1", "127.0.0.1"),
        (None, "::1", "::1"),
    ],
    ids=["IPv4", "IPv6", "the kernel's choice", "the kernel's choice, IPv6"],
)
def test_a_connection_leaves_from_its_address(listen, source, target, seen):
    listener = listen(target)
    sock = dial(endpoint_at(listener, target, source_address=source)).socket
    accepted, peer = listener.accept()
    accepted.close()
    sock.close()

    assert seen == peer[0]


def test_a_name_is_looked_up_and_an_address_is_not(listen):
    listener = listen()
    for host, phases in (("localhost", {"dns", "tcp"}), ("127.0.0.1", {"tcp"})):
        dialed = dial(endpoint_at(listener, host))
        dialed.socket.close()

        assert phases == dialed.laps.us.keys()


def test_a_name_leads_to_the_address_family_of_the_source(listen):
    listener = listen()
    dialed = dial(endpoint_at(listener, "localhost", source_address="127.0.0.5"))

    assert "127.0.0.5" == dialed.socket.getsockname()[0]
    dialed.socket.close()


def test_of_several_addresses_the_first_that_accepts_is_taken(listen, monkeypatch):
    listener = listen()
    port = listener.getsockname()[1]
    answers = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
        for host in ("127.0.0.66", "127.0.0.1")
    ]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_arguments: answers)
    sock = dial(endpoint_at(listener, "two.example")).socket

    assert "127.0.0.1" == sock.getpeername()[0]
    sock.close()
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        dial(Endpoint(url=f"ws://two.example:{port}/", timeout_s=2.0))


def test_an_address_of_the_other_family_finds_no_target(listen):
    with pytest.raises(socket.gaierror):
        dial(endpoint_at(listen(), source_address="::1"))


def test_an_address_of_another_machine_is_named_with_a_proxy_or_without(listen):
    listener = listen()
    proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for options in ({}, {"proxy": proxy}):
        with pytest.raises(SourceAddressError, match=r"192\.0\.2\.1"):
            dial(endpoint_at(listener, source_address="192.0.2.1", **options))


def test_a_target_without_tls_fails_the_tls_handshake(listen):
    listener = listen()

    def answer_plainly():
        sock, _peer = listener.accept()
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        sock.close()

    answering = gevent.spawn(answer_plainly)
    with pytest.raises(ssl.SSLError):
        dial(endpoint_at(listener, scheme="wss", source_address="127.0.0.2"))
    answering.join(2)


def test_laps_follow_each_other_without_a_gap():
    laps = Laps(iter([100.0, 100.02, 100.07]).__next__)
    for phase in ("tcp", "tls"):
        laps.end(phase)

    assert {"tcp": 20_000, "tls": 50_000} == laps.us


def test_the_time_that_a_target_takes_for_tls_counts_as_tls(listen, tmp_path):
    authority = Authority(tmp_path / "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certificate("IP:127.0.0.1"))
    listener = listen()

    def answer_late():
        sock, _peer = listener.accept()
        gevent.sleep(0.2)
        context.wrap_socket(sock, server_side=True).close()

    answering = gevent.spawn(answer_late)
    dialed = dial(endpoint_at(listener, scheme="wss", certificates=authority.trusted()))
    dialed.socket.close()
    answering.join(2)

    assert {"tcp", "tls"} == dialed.laps.us.keys()
    # The target's 0.2 s may have begun before ours: the kernel accepts ahead of it.
    assert 100_000 <= dialed.laps.us["tls"]
    assert dialed.laps.us["tcp"] < dialed.laps.us["tls"]


def test_a_proxy_is_asked_for_the_target_and_timed(listen):
    listener, proxy = listen(), ConnectProxy()
    port = listener.getsockname()[1]
    dialed = dial(endpoint_at(listener, proxy=proxy.url))
    dialed.socket.close()
    proxy.close()

    assert [f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"] == proxy.asked
    assert {"tcp", "proxy"} == dialed.laps.us.keys()
