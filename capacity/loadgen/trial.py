"""One connection and one request before thousands: does the target speak the dialect at all?"""

import contextlib
import time

import requests

from capacity.domain.errors import UnreachableError
from capacity.loadgen.compression import Inflater
from capacity.loadgen.frames import CLOSE_FRAME, FrameReader, masked_frame
from capacity.loadgen.handshake import Endpoint, HandshakeError, Opened, open_websocket
from capacity.settings.target import Target
from capacity.workload.address import channels_of, rest_request, websocket_url
from capacity.workload.compiled import compile_dialect
from capacity.workload.conversation import Conversation
from capacity.workload.dialect import Dialect
from capacity.workload.reception import Kind

TRIAL_S = 5.0


def try_conversation(target: Target, dialect: Dialect) -> None:
    """Connect, subscribe and see it confirmed. Raises UnreachableError with what went wrong."""
    channels = channels_of(dialect, 0, target.channels, target.symbols, 1)
    url = websocket_url(
        dialect, host=target.host, port=target.port, tls=target.tls, channels=channels
    )
    endpoint = Endpoint(
        url=url,
        timeout_s=min(dialect.ws.open_timeout_s, TRIAL_S),
        headers=tuple(f"{name}: {value}" for name, value in dialect.ws.headers.items()),
        subprotocols=dialect.ws.subprotocols,
        offers_compression=dialect.ws.compression == "deflate",
    )
    try:
        opened = open_websocket(endpoint)
    except HandshakeError as error:
        raise UnreachableError(
            f"{url}: no WebSocket there ({error}); start the target, or correct host, port and dialect "
            "in the target file"
        ) from None
    with opened.socket:
        _subscribe(opened, dialect, channels, url)
        with contextlib.suppress(OSError):
            opened.socket.send(CLOSE_FRAME)


def _subscribe(opened: Opened, dialect: Dialect, channels: list[str], url: str) -> None:
    """Subscribe and read until every channel is confirmed, or time is up, whatever else comes."""
    deadline_s = time.monotonic() + TRIAL_S
    conversation = Conversation(compile_dialect(dialect), channels)
    inflater = Inflater(opened.compression) if opened.compression is not None else None
    reader = FrameReader(dialect.ws.max_message_bytes, inflater)
    frames = [masked_frame(text) for text in (*conversation.opening(), *conversation.subscribe())]
    seen, trouble = 0, None
    while trouble is None:
        try:
            opened.socket.settimeout(max(0.001, deadline_s - time.monotonic()))
            opened.socket.sendall(b"".join(frames))
            if not conversation.pending:
                return
            data = opened.socket.recv(65536)
        except OSError as error:
            trouble = type(error).__name__
            break
        frames.clear()
        for payload in reader.feed(data, frames):
            seen += 1
            reception = conversation.receive(payload)
            if reception.kind is Kind.REJECTED:
                raise UnreachableError(
                    f"{url}: the target refuses {', '.join(channels)} ({reception.problem}); correct "
                    "channels and symbols in the target file"
                )
            frames += map(masked_frame, reception.replies)
        if not conversation.pending:
            return
        if not data:
            trouble = "connection_ended"
        elif time.monotonic() > deadline_s:
            trouble = "TimeoutError"
        else:
            trouble = reader.end
    raise UnreachableError(
        f"{url}: {', '.join(channels)} was not confirmed in dialect {dialect.name} within "
        f"{TRIAL_S:.0f} s ({seen} other frames came; {trouble}); correct dialect, "
        "channels and symbols in the target file"
    )


def try_request(target: Target, dialect: Dialect) -> None:
    """Make the target file's REST request once. Raises UnreachableError unless it succeeds."""
    assert target.rest is not None
    method, url, body = rest_request(
        dialect,
        target.rest.operation,
        host=target.host,
        port=target.port,
        tls=target.tls,
        symbol=target.symbols[0] if target.symbols else "",
    )
    session = requests.Session()
    session.trust_env = False
    try:
        response = session.request(method, url, data=body, timeout=TRIAL_S)
    except requests.RequestException as error:
        raise UnreachableError(
            f"{url}: no answer to the REST request ({type(error).__name__}); correct rest.operation or "
            "the dialect"
        ) from None
    if not response.ok:
        raise UnreachableError(
            f"{url}: the REST request is answered {response.status_code}; correct rest.operation, "
            "symbols or the dialect"
        )
