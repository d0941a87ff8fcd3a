"""One connection and one request before thousands: does the target speak the dialect at all?"""

import contextlib
import itertools
import ssl
import time
from dataclasses import dataclass, replace
from typing import Any

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
from capacity.workload.reception import Kind, Reception

TRIAL_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one connection met."""

    opened_s: float
    """From the first packet to the last confirmation."""
    updates_per_s: float | None
    """While it listened; None where it was not to."""
    certificate_ends_at: float | None
    """Epoch seconds; None without TLS."""


def try_conversation(
    target: Target, dialect: Dialect, *, subscriptions: int = 1, listen_s: float = 0.0
) -> Trial:
    """Connect, subscribe and see it confirmed, then listen for so long.

    Raises UnreachableError with what went wrong, or ConfigError for unusable certificates.
    """
    channels = channels_of(dialect, 0, target.channels, target.symbols, subscriptions)
    endpoint = endpoint_of(target, dialect, channels)
    if target.tls:
        client_context(target.certificates)
    began_s = time.monotonic()
    try:
        opened = open_websocket(replace(endpoint, timeout_s=min(endpoint.timeout_s, TRIAL_S)))
    except HandshakeError as error:
        no_websocket = (
            f"no WebSocket there ({error}); start the target, or correct host, port and dialect in "
            "the target file"
        )
        raise UnreachableError(f"{endpoint.url}: {_known_trouble(error) or no_websocket}") from None
    with opened.socket:
        talk = _Talk(opened, dialect, channels, endpoint.url)
        talk.subscribe()
        opened_s = time.monotonic() - began_s
        updates_per_s = talk.updates(listen_s) / listen_s if listen_s else None
        with contextlib.suppress(OSError):
            opened.socket.send(CLOSE_FRAME)
        return Trial(
            opened_s=opened_s,
            updates_per_s=updates_per_s,
            certificate_ends_at=_certificate_ends_at(opened.socket),
        )


def _certificate_ends_at(connected: Any) -> float | None:
    if not isinstance(connected, ssl.SSLSocket):
        return None
    ends = (connected.getpeercert() or {}).get("notAfter")
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None


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


class _Talk:
    """One connection that is read at once, without the epoll set."""

    def __init__(self, opened: Opened, dialect: Dialect, channels: list[str], url: str) -> None:
        self._socket = opened.socket
        self._channels = channels
        self._url = url
        self._dialect_name = dialect.name
        self._conversation = Conversation(compile_dialect(dialect), channels)
        inflater = Inflater(opened.compression) if opened.compression is not None else None
        self._reader = FrameReader(dialect.ws.max_message_bytes, inflater)
        self._is_over = False
        texts = (*self._conversation.opening(), *self._conversation.subscribe())
        self._unsent = [masked_frame(text) for text in texts]

    def subscribe(self) -> None:
        """Read until every channel is confirmed, or time is up, whatever else comes."""
        deadline_s = time.monotonic() + TRIAL_S
        seen, trouble = 0, None
        while trouble is None:
            try:
                self._send(deadline_s)
                if not self._conversation.pending:
                    return
                receptions = self._receive()
            except OSError as error:
                trouble = type(error).__name__
                break
            seen += len(receptions)
            for reception in receptions:
                if reception.kind is Kind.REJECTED:
                    raise UnreachableError(
                        f"{self._url}: the target refuses {', '.join(self._channels)} "
                        f"({reception.problem}); correct channels and symbols in the target file"
                    )
            if self._conversation.pending:
                trouble = self._end or ("TimeoutError" if time.monotonic() > deadline_s else None)
        raise UnreachableError(
            f"{self._url}: {', '.join(self._channels)} was not confirmed in dialect "
            f"{self._dialect_name} within {TRIAL_S:.0f} s ({seen} other frames came; {trouble}); "
            "correct dialect, channels and symbols in the target file"
        )

    def updates(self, listen_s: float) -> int:
        """Return how many updates come in *listen_s*, or until the target has enough of us."""
        deadline_s = time.monotonic() + listen_s
        count = 0
        with contextlib.suppress(OSError):
            while self._end is None and time.monotonic() < deadline_s:
                self._send(deadline_s)
                count += sum(reception.kind is Kind.DATA for reception in self._receive())
        return count

    @property
    def _end(self) -> str | None:
        return "connection_ended" if self._is_over else self._reader.end

    def _send(self, deadline_s: float) -> None:
        self._socket.settimeout(max(0.001, deadline_s - time.monotonic()))
        self._socket.sendall(b"".join(self._unsent))
        self._unsent.clear()

    def _receive(self) -> list[Reception]:
        """Return what the next bytes say, and note what is to be answered. Raises OSError."""
        data = self._socket.recv(65536)
        self._is_over = not data
        payloads = self._reader.feed(data, self._unsent) if data else ()
        receptions = [self._conversation.receive(payload) for payload in payloads]
        self._unsent += [masked_frame(text) for each in receptions for text in each.replies]
        return receptions


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
