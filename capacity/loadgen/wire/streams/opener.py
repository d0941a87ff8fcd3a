"""Opens what updates come over: a WebSocket, an event stream or a long poll."""

import re
from contextlib import ExitStack
from urllib.parse import urlsplit

import websocket

from capacity.loadgen.wire.dialing import Laps, dial
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import HandshakeError, Opened, Told, open_websocket, opened_by
from capacity.loadgen.wire.response_head import ResponseHead
from capacity.loadgen.wire.streams.event_stream import EventStreamReader
from capacity.loadgen.wire.streams.long_poll import LongPollReader

NO_EVENT_STREAM = "handshake_no_event_stream"
_EVENT_STREAM = "text/event-stream"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


def open_connection(endpoint: Endpoint) -> Opened:
    """Return the connection as its transport has it. Raises HandshakeError with the reason."""
    if endpoint.transport == "websocket":
        return open_websocket(endpoint)
    way = _long_poll if endpoint.transport == "long_poll" else _event_stream
    return opened_by(way, endpoint)


def _long_poll(endpoint: Endpoint, laps: Laps, _told: Told) -> Opened:
    """Return the connection with its first poll under way: the answer comes with the first update."""
    reader = LongPollReader(
        endpoint.max_message_bytes,
        head_of(endpoint, {"Accept": "*/*"}),
        endpoint.next_headers,
        endpoint.cursor,
    )
    connected, _laps = dial(endpoint, laps)
    with ExitStack() as undone:  # Also when the greenlet is killed.
        undone.callback(connected.close)
        connected.sendall(reader.asked())
        undone.pop_all()
    return Opened(connected, None, laps.us, None, reader)


def _event_stream(endpoint: Endpoint, laps: Laps, told: Told) -> Opened:
    asked = {"Accept": _EVENT_STREAM, "Cache-Control": "no-cache"}
    if endpoint.cursor is not None:
        asked["Last-Event-ID"] = endpoint.cursor
    reader = EventStreamReader(endpoint.max_message_bytes, endpoint.cursor)
    connected, _laps = dial(endpoint, laps)
    head = ResponseHead(connected, is_stamped=endpoint.is_stamped)
    with ExitStack() as undone:  # As above.
        undone.callback(connected.close)
        connected.sendall(head_of(endpoint, asked) + b"\r\n")
        try:
            head.recv(0)
            _expect_ok(head.head)
        except websocket.WebSocketException:
            told.append((head.told(), head.header("retry-after")))
            raise
        if not (head.header("content-type") or "").lower().startswith(_EVENT_STREAM):
            raise HandshakeError(NO_EVENT_STREAM, head.told(), is_connected=True)
        reader.feed(head.head, [])
        laps.end("upgrade")
        undone.pop_all()
    return Opened(connected, None, laps.us, head.arrived_at_s, reader)


def _expect_ok(head: bytes) -> None:
    """Raise what the answer says unless it is a stream."""
    if not head:
        raise websocket.WebSocketConnectionClosedException("ended instead of an answer")
    status = _STATUS.match(head)
    if status is None:
        raise ValueError("no answer of HTTP")
    if status[1] != b"200":
        raise websocket.WebSocketBadStatusException("refused", int(status[1]))


def head_of(endpoint: Endpoint, asked: dict[str, str]) -> bytes:
    """Return request line and headers, the user's in place of those that are sent by themselves."""
    parts = urlsplit(endpoint.url)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    given = {line.partition(":")[0].lower() for line in endpoint.headers}
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {endpoint.host or parts.netloc}",
        *(f"{name}: {value}" for name, value in asked.items() if name.lower() not in given),
        *endpoint.headers,
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")
