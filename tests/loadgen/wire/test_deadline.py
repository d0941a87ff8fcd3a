"""In a process of its own where it is to be one that gevent has not patched, as a command's is."""

import contextlib
import socket
import subprocess
import sys
import threading

import gevent
import pytest

from capacity.loadgen.wire.deadline import in_time

OPENING = """
import sys
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import HandshakeError, open_websocket
try:
    open_websocket(Endpoint(url=f"ws://127.0.0.1:{sys.argv[1]}/", timeout_s=0.5))
except HandshakeError as error:
    print(error)
"""
ASKING = """
import sys
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.http_connection import ExchangeError, HttpConnection
here = Endpoint(url=f"http://127.0.0.1:{sys.argv[1]}/", timeout_s=5)
connection = HttpConnection(lambda: here, is_kept=True, max_answer_bytes=9999, timeout_s=0.5)
try:
    connection.exchange(b"GET / HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n", is_repeatable=True)
except ExchangeError as error:
    print(error)
"""
HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" + b"X: y\r\n" * 1000
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
UNENDING_S = 60
"""No assertion on time: without a deadline of its own the process would stand for ever."""


@pytest.fixture
def port():
    """Return the port of a server that sends *begun* at once, then a byte of *rest* now and then."""
    over, listener = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve(begun, rest):
        def answer():
            sock, _address = listener.accept()
            with sock, contextlib.suppress(OSError):
                sock.recv(65536)
                sock.sendall(begun)
                for byte in rest:
                    if over.wait(0.1):
                        return
                    sock.sendall(bytes((byte,)))
                over.wait(UNENDING_S)

        threading.Thread(target=answer, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    over.set()
    listener.close()


@pytest.mark.parametrize(
    ("program", "begun", "rest", "reason"),
    [
        (OPENING, b"", b"", "connect_timeout"),
        (OPENING, b"", HEAD, "connect_timeout"),
        (ASKING, b"", b"", "request_timeout"),
        (ASKING, b"", HEAD, "request_timeout"),
        (ASKING, BODY, b"x" * 9000, "request_slow_body"),
    ],
    ids=["mute", "dripping head", "mute to a request", "dripping answer", "dripping body"],
)
def test_a_process_without_gevent_gives_up_in_time_as_well(port, program, begun, rest, reason):
    argv = [sys.executable, "-c", program, str(port(begun, rest))]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=UNENDING_S, check=True)

    assert reason == said.stdout.strip()


def test_in_the_load_generator_the_waiting_itself_is_ended():
    ended = []

    def wait():
        try:
            gevent.sleep(UNENDING_S)
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        in_time(0.01, wait)
    assert [True] == ended
