"""One connection and one request, to the real exchange and to servers that answer otherwise."""

import contextlib
import socket
import threading
import time
from types import SimpleNamespace

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from capacity.domain.errors import UnreachableError
from capacity.loadgen import trial
from capacity.loadgen.trial import try_conversation, try_request
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

DIALECT = load_dialect(find("dialects", "deribit"))


@pytest.fixture
def accepting():
    """Start a server that accepts one WebSocket and answers every frame with the same event, or
    the first with bytes without end.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def start(answer):
            thread = threading.Thread(target=converse, args=(listener, answer))
            thread.start()
            stack.callback(thread.join)
            return SimpleNamespace(host="127.0.0.1", port=listener.getsockname()[1])

        yield start


def converse(listener, answer):
    sock, _address = listener.accept()
    peer = WSConnection(ConnectionType.SERVER)
    with sock, contextlib.suppress(OSError):
        while data := sock.recv(65536):
            peer.receive_data(data)
            for event in peer.events():
                if isinstance(event, Request):
                    sock.sendall(peer.send(AcceptConnection()))
                elif isinstance(answer, bytes):
                    while True:
                        sock.sendall(answer)
                elif isinstance(event, TextMessage) and answer is not None:
                    sock.sendall(peer.send(answer))
                    if isinstance(answer, CloseConnection):
                        return
                elif isinstance(event, CloseConnection):
                    return


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return SimpleNamespace(host="127.0.0.1", port=listener.getsockname()[1])


def test_a_target_that_confirms_passes(exchange, target_file):
    assert try_conversation(target_file(exchange), DIALECT) is None


def test_a_channel_that_the_target_does_not_know_is_named(exchange, target_file):
    target = target_file(exchange, symbols=["NO-SUCH-THING"])
    with pytest.raises(UnreachableError, match=r"refuses ticker\.NO-SUCH-THING\.100ms"):
        try_conversation(target, DIALECT)


def test_no_target_there_is_said_with_its_address(target_file):
    target = target_file(closed_port())
    with pytest.raises(
        UnreachableError, match=rf"ws://127.0.0.1:{target.port}/.*no WebSocket.*connect_refused"
    ):
        try_conversation(target, DIALECT)


def test_a_path_of_another_dialect_is_no_websocket(exchange, target_file):
    dialect = load_dialect(find("dialects", "json-push"))
    with pytest.raises(UnreachableError, match="handshake_rejected_404"):
        try_conversation(target_file(exchange, channels=["updates"]), dialect)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "was not confirmed in dialect deribit .* .0 other frames"),
        (TextMessage(data='{"hello": 1}'), "was not confirmed .* .2 other frames"),
        (TextMessage(data="no JSON"), "was not confirmed .* .2 other frames"),
        (CloseConnection(code=1000), "was not confirmed"),
    ],
    ids=["silence", "another protocol", "junk", "hangs up"],
)
def test_a_target_that_does_not_confirm_is_given_up(
    accepting, target_file, monkeypatch, answer, said
):
    monkeypatch.setattr(trial, "TRIAL_S", 0.3)
    with pytest.raises(UnreachableError, match=said):
        try_conversation(target_file(accepting(answer)), DIALECT)


def test_a_target_that_talks_without_end_is_given_up_in_time(accepting, target_file, monkeypatch):
    monkeypatch.setattr(trial, "TRIAL_S", 0.3)
    started_s = time.monotonic()
    with pytest.raises(UnreachableError, match=r"not confirmed .*\(\d{3,} other frames"):
        try_conversation(target_file(accepting(b"\x81\x02{}" * 100)), DIALECT)

    assert time.monotonic() - started_s < 5


def test_a_target_that_breaks_the_protocol_is_told_so(accepting, target_file):
    with pytest.raises(UnreachableError, match="0 other frames came; message_too_big"):
        try_conversation(target_file(accepting(b"\x82\x7f" + b"\xff" * 8)), DIALECT)


def test_a_request_that_succeeds_passes(exchange, target_file):
    assert try_request(target_file(exchange), DIALECT) is None


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error"])
def test_a_request_that_fails_is_said_with_its_status(serve, target_file, status):
    def answer(_environ, start_response):
        start_response(status, [])
        return []

    _scheme, host, port = serve(answer).split(":")
    target = target_file(SimpleNamespace(host=host.strip("/"), port=int(port)))
    with pytest.raises(UnreachableError, match=f"ticker.* is answered {status[:3]}; correct rest"):
        try_request(target, DIALECT)


def test_a_request_without_an_answer_is_said_so(target_file):
    with pytest.raises(UnreachableError, match="no answer to the REST request"):
        try_request(target_file(closed_port()), DIALECT)
