"""A proxy that connects us, and every way not to, as the handshake counts them."""

import errno
import runpy
import socket
from pathlib import Path

import pytest

from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import HandshakeError, failure_reason, open_websocket
from capacity.loadgen.wire.proxy import ProxyError, tunnel

FOLDER = Path(__file__).parents[1]
ConnectProxy = runpy.run_path(str(FOLDER / "connect_proxy.py"))["ConnectProxy"]
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def start_proxy():
    proxies = []

    def start(*answer, **options):
        proxies.append(ConnectProxy(*answer, **options))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.close()


def opened(target, proxy):
    endpoint = Endpoint(url=f"ws://127.0.0.1:{target.port}/", timeout_s=0.5, proxy=proxy)
    return open_websocket(endpoint)


def test_a_websocket_opens_through_the_proxy(target, start_proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    found = opened(target, start_proxy().url)
    found.socket.close()

    assert ["tcp", "proxy", "upgrade"] == list(found.phases_us)
    assert 1 == len(target.clients)


def test_a_proxy_of_the_environment_is_not_used(target, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    opened(target, None).socket.close()

    assert 1 == len(target.clients)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_rejected_407"),
        (b"HTTP/1.0 503 Busy\r\nContent-Length: 2\r\n\r\nno", "proxy_rejected_503"),
        (b"HTTP/1.1 999 x\r\n\r\n", "proxy_invalid"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "proxy_invalid"),
        (b"HTTP/1.1 407 " + b"x" * 70_000, "proxy_invalid"),
        (b"", "proxy_connect_timeout"),
    ],
    ids=["no credentials", "busy", "odd status", "another protocol", "long head", "silence"],
)
def test_a_proxy_that_does_not_connect_us_is_counted_under_its_reason(
    target, start_proxy, answer, reason
):
    proxy = start_proxy(answer)
    with pytest.raises(HandshakeError) as failure:
        opened(target, proxy.url)

    assert (reason, []) == (str(failure.value), target.clients)


def test_a_proxy_that_hangs_up_is_told_from_the_target(target, start_proxy):
    proxy = start_proxy(b"", holds=False)
    with pytest.raises(HandshakeError, match=r"^proxy_connect_reset$"):
        opened(target, proxy.url)


def test_a_proxy_that_is_not_there_is_told_from_the_target(target):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(HandshakeError, match=r"^proxy_connect_refused$"):
        opened(target, f"http://127.0.0.1:{port}")


def test_running_out_of_descriptors_on_the_way_to_the_proxy_is_the_generators_fault():
    error = ProxyError()
    error.__cause__ = OSError(errno.EMFILE, "too many")

    assert "generator_descriptors" == failure_reason(error)


def test_an_ipv6_target_stands_in_brackets():
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\nfirst bytes of the target")
    tunnel(ours, "::1", 443)

    assert b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n" == theirs.recv(100)
    assert b"first bytes of the target" == ours.recv(100)
    ours.close()
    theirs.close()


@pytest.mark.parametrize(("status", "connects"), [(199, 0), (200, 1), (299, 1), (300, 0)])
def test_every_status_of_success_connects(status, connects):
    ours, theirs = socket.socketpair()
    theirs.sendall(f"HTTP/1.1 {status} x\r\n\r\n".encode())
    with ours, theirs:
        if connects:
            tunnel(ours, "here", 443)
        else:
            with pytest.raises(ProxyError, match=f"^proxy_rejected_{status}$"):
                tunnel(ours, "here", 443)
