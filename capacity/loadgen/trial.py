"""One connection and one request before thousands: does the target speak the dialect at all?"""

import contextlib
import itertools
import ssl
import time
from dataclasses import replace

from capacity.domain.errors import UnreachableError
from capacity.loadgen.compression import Inflater
from capacity.loadgen.endpoint import endpoint_of
from capacity.loadgen.frames import CLOSE_FRAME, FrameReader, masked_frame
from capacity.loadgen.handshake import HandshakeError, Opened, open_websocket
from capacity.loadgen.http_connection import ExchangeError
from capacity.loadgen.polls import poll_connection, polls_of
from capacity.loadgen.tls import client_context
from capacity.settings.target import Target
from capacity.workload.address import channels_of
from capacity.workload.compiled import compile_dialect
from capacity.workload.conversation import Conversation
from capacity.workload.dialect import Dialect
from capacity.workload.reception import Kind

TRIAL_S = 5.0


def try_conversation(target: Target, dialect: Dialect) -> None:
    """Connect, subscribe and see it confirmed.

    Raises UnreachableError with what went wrong, or ConfigError for unusable certificates.
    """
    channels = channels_of(dialect, 0, target.channels, target.symbols, 1)
    endpoint = endpoint_of(target, dialect, channels)
    if target.tls:
        client_context(target.certificates)
    try:
        opened = open_websocket(replace(endpoint, timeout_s=min(endpoint.timeout_s, TRIAL_S)))
    except HandshakeError as error:
        no_websocket = (
            f"no WebSocket there ({error}); start the target, or correct host, port and dialect in "
            "the target file"
        )
        raise UnreachableError(f"{endpoint.url}: {_known_trouble(error) or no_websocket}") from None
    with opened.socket:
        _subscribe(opened, dialect, channels, endpoint.url)
        with contextlib.suppress(OSError):
            opened.socket.send(CLOSE_FRAME)


def _known_trouble(error: HandshakeError | ExchangeError) -> str | None:
    """Return what is wrong on the way to the target, and what to do; None if that is not it."""
    reason, cause = str(error), error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the target's certificate is not accepted ({reason}: {cause.verify_message}); name the "
            "authority that signed it as certificates.ca_file in the target file, or the name that it "
            "is for as certificates.server_name"
        )
    if reason == "tls_client_certificate":
        return (
            f"the target does not accept who we are ({reason}); give a certificate that it trusts as "
            "certificates.client_certificate_file, with client_key_file, in the target file"
        )
    if reason.startswith("proxy_"):
        return (
            f"the proxy does not connect us ({reason}); correct proxy in the target file, or have the "
            "proxy allow CONNECT to this host and port"
        )
    if reason == "tls_failed":
        return f"no TLS there ({reason}); correct port, or take tls: true out of the target file"
    return None


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
    poll = polls_of(target, dialect)[0]
    connection = poll_connection(target, dialect, poll, itertools.repeat(None), TRIAL_S)
    try:
        answer = connection.exchange(poll.head + b"\r\n" + poll.body, is_repeatable=False)
    except ExchangeError as error:
        no_answer = (
            f"no answer to the REST request ({error}); correct rest.operation or the dialect"
        )
        raise UnreachableError(f"{poll.url}: {_known_trouble(error) or no_answer}") from None
    connection.close()
    if not 200 <= answer.status < 300:
        raise UnreachableError(
            f"{poll.url}: the REST request is answered {answer.status}; correct rest.operation, "
            "symbols or the dialect"
        )
