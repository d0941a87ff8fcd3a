"""One connection to servers that do not answer as the dialect says."""

import contextlib
import json
import socket
import struct
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import gevent
import orjson
import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Request,
    TextMessage,
)

from capacity.domain.errors import UnreachableError
from capacity.loadgen.checks import trial
from capacity.loadgen.checks import trial_conversation as conversation
from capacity.loadgen.checks.trial import try_conversation
from capacity.loadgen.checks.trial_conversation import TrialConversation, _shown
from capacity.loadgen.checks.watcher import NoWatcher
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.profiles.pacing import PACING_MARGIN

DIALECT = load_dialect(find("dialects", "deribit"))
UPDATE = {
    "method": "subscription",
    "params": {"channel": "ticker.BTC-PERPETUAL.100ms", "data": {"timestamp": 1}},
}
RESET = "reset"
"""In place of an answer: an update, and the end as it is when a process was killed."""


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
                elif answer == RESET:
                    sock.sendall(peer.send(TextMessage(data=json.dumps(UPDATE))))
                    time.sleep(0.3)  # Else what was sent may be lost with the connection.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                elif isinstance(answer, bytes):
                    while True:
                        sock.sendall(answer)
                elif isinstance(event, TextMessage) and answer is not None:
                    sock.sendall(peer.send(answer))
                    if isinstance(answer, CloseConnection):
                        return
                elif isinstance(event, CloseConnection):
                    return


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            None,
            "was not confirmed in dialect deribit .*in time, 0 other frames came\\); correct dialect",
        ),
        (
            TextMessage(data='{"hello": 1}'),
            'was not confirmed .* 2 other frames came, the first: {"hello": 1}.; correct .*ack',
        ),
        (TextMessage(data="no \x1b[2J"), "was not confirmed .* the first: not JSON: no \ufffd.2J"),
        (
            BytesMessage(data=b"\x1f\x8b\x08\xff"),
            "the first: packed by gzip .*: 4 bytes: 1f 8b 08 ff.; set messages.packing .* to gzip",
        ),
        (CloseConnection(code=1000), "was not confirmed .*closed it with 1000 without a reason"),
        (
            CloseConnection(code=4403, reason="plan allows 0 streams"),
            "closed it with 4403 'plan allows 0 streams', 0 other .*; use credentials",
        ),
        (CloseConnection(code=1008), "closed it with 1008 .*; use credentials"),
        (CloseConnection(code=4401), "closed it with 4401 .*; use credentials"),
        (CloseConnection(code=4400), "closed it with 4400 .*; correct dialect, channels"),
        (CloseConnection(code=1008, reason="too many requests"), "; set ws.requests_per_s"),
    ],
    ids=[
        "silence",
        "another protocol",
        "junk",
        "packed",
        "hangs up",
        "not allowed",
        "against a policy",
        "unauthorized",
        "another code",
        "too fast",
    ],
)
def test_a_target_that_does_not_confirm_is_given_up(
    accepting, target_file, monkeypatch, answer, said
):
    monkeypatch.setattr(trial, "TRIAL_S", 0.3)
    with pytest.raises(UnreachableError, match=said):
        try_conversation(target_file(accepting(answer)), DIALECT)


@pytest.mark.parametrize("letters", [160, 161])
def test_of_a_reason_for_hanging_up_or_refusing_160_letters_are_shown(letters):
    reason = "n" * letters

    assert (reason if letters == 160 else "n" * 159 + "…") == _shown(reason)


def test_a_target_that_talks_without_end_is_given_up_in_time(accepting, target_file, monkeypatch):
    monkeypatch.setattr(trial, "TRIAL_S", 0.3)
    with (
        gevent.Timeout(30),
        pytest.raises(UnreachableError, match=r"not confirmed .* \d+,\d{3} other frames"),
    ):
        try_conversation(target_file(accepting(b"\x81\x02{}" * 100)), DIALECT)


def test_a_target_that_breaks_the_protocol_is_told_so(accepting, target_file):
    with pytest.raises(UnreachableError, match="message_too_big, 0 other frames came"):
        try_conversation(target_file(accepting(b"\x82\x7f" + b"\xff" * 8)), DIALECT)


def test_a_connection_that_is_reset_while_it_is_listened_to_has_ended(accepting, target_file):
    subscribe = replace(DIALECT.subscribe, ack=None, confirm="none")
    unconfirmed = replace(DIALECT, subscribe=subscribe, heartbeat=())
    found = try_conversation(target_file(accepting(RESET)), unconfirmed, listen_s=30.0).heard

    assert (1, "the target ended the connection") == (found.updates, found.ended[0])


@pytest.mark.parametrize(
    ("each", "total", "interval_s"), [(4, 2, 0.5), (2, 4, 0.5), (None, 2, 0.5)]
)
def test_the_trial_keeps_to_the_slower_of_both_paces(each, total, interval_s):
    ws = replace(DIALECT.ws, requests_per_s=each, total_requests_per_s=total)
    ours, theirs = socket.socketpair()
    opened = SimpleNamespace(socket=ours, compression=None, reader=None)
    with ours, theirs:
        talk = TrialConversation(
            opened, replace(DIALECT, ws=ws), [], "ws://x", {}, watcher=NoWatcher(), within_s=1.0
        )

    assert interval_s * PACING_MARGIN == pytest.approx(talk._interval_s)


def test_who_waits_for_the_turn_of_a_request_listens_meanwhile():
    channels, seen = ["ticker.BTC-PERPETUAL.100ms", "ticker.ETH-PERPETUAL.100ms"], []

    class Watching(NoWatcher):
        def heard(self, payload, _receptions):
            seen.append(payload)

    ws = replace(DIALECT.ws, requests_per_s=2.0)
    each = replace(DIALECT.subscribe, batch=1)
    ours, theirs = socket.socketpair()
    opened = SimpleNamespace(socket=ours, compression=None, reader=None)
    frame = orjson.dumps({**UPDATE, "of": "x" * 100})
    with ours, theirs:
        talk = TrialConversation(
            opened,
            replace(DIALECT, ws=ws, subscribe=each, heartbeat=()),
            channels,
            "ws://x",
            {},
            watcher=Watching(),
            within_s=1.0,
        )
        theirs.sendall(bytes((0x81, 126)) + struct.pack("!H", len(frame)) + frame)
        talk._send(time.monotonic() + 30.0)
        talk._receive()

        assert [frame] == seen, "heard before the second request went out"
        assert 1 == len(talk._unsent)
        assert 0.5 * PACING_MARGIN == pytest.approx(ours.gettimeout())


@pytest.mark.parametrize(("left_s", "timeout_s"), [(-5.0, 0.001), (0.0, 0.001), (5.0, 5.0)])
def test_what_is_sent_at_the_last_moment_waits_for_a_millisecond(monkeypatch, left_s, timeout_s):
    ours, theirs = socket.socketpair()
    opened = SimpleNamespace(socket=ours, compression=None, reader=None)
    with ours, theirs:
        talk = TrialConversation(
            opened, DIALECT, [], "ws://x", {}, watcher=NoWatcher(), within_s=1.0
        )
        monkeypatch.setattr(conversation, "time", SimpleNamespace(monotonic=lambda: 100.0))
        talk._send(100.0 + left_s)

        assert timeout_s == ours.gettimeout()
