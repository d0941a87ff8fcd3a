"""One connection and one request before thousands: does the target speak the dialect at all?"""

import contextlib
import itertools
import ssl
import time
from dataclasses import dataclass, replace
from typing import Any

from capacity.domain import units
from capacity.domain.errors import UnreachableError
from capacity.domain.words import printable
from capacity.loadgen.checks.hearing import Ear, shown
from capacity.loadgen.checks.rejections import answer_remedy, handshake_remedy, request_remedy
from capacity.loadgen.wire.compression import Inflater
from capacity.loadgen.wire.endpoint import endpoint_of
from capacity.loadgen.wire.frames import CLOSE_FRAME, FrameReader, masked_frame
from capacity.loadgen.wire.handshake import HandshakeError, Opened, open_websocket
from capacity.loadgen.wire.http_connection import ExchangeError
from capacity.loadgen.wire.polls import poll_connection, polls_of
from capacity.loadgen.wire.tls import client_context
from capacity.planning.safety.heard_updates import Heard
from capacity.settings.target import Target
from capacity.workload.address import channels_of
from capacity.workload.compiled import compile_dialect
from capacity.workload.conversation import Conversation
from capacity.workload.dialect import Dialect
from capacity.workload.reception import Kind, Reception

TRIAL_S = 5.0
_SHOWN_LETTERS = 160
_WAITED = {
    "TimeoutError": "no confirmation in time",
    "closed_by_target": "the target closed it",
    "connection_ended": "the target ended the connection",
}
_NOT_ALLOWED = {1008, 4401, 4403}
"""Codes of close frames that say who may not (RFC 6455, section 7.4.1, and 4000 + HTTP's)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one connection met."""

    opened_s: float
    """From the first packet to the last confirmation."""
    updates_per_s: float | None
    """While it listened; None where it was not to."""
    heard: Heard
    """What came since it was confirmed."""
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
        no_websocket = f"no WebSocket there ({error}); {handshake_remedy(str(error))}"
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
            heard=talk.ear.heard(talk.listened_s),
            certificate_ends_at=_certificate_ends_at(opened.socket),
        )


def _told(reception: Reception) -> str:
    return printable(reception.problem or "no reason given", _SHOWN_LETTERS)


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
            f"the target rejects our client certificate ({reason}); set one that it trusts as "
            "certificates.client_certificate_file, with client_key_file, in the target file"
        )
    if reason.startswith("proxy_"):
        return (
            f"the proxy rejects the connection ({reason}); correct proxy in the target file, or let the "
            "proxy allow CONNECT to this host and port"
        )
    if reason == "connect_timeout" and isinstance(error, HandshakeError) and error.is_connected:
        return (
            "the target took the connection and did not answer the handshake within"
            f" {units.duration(TRIAL_S)} ({reason}); look at the target, or correct port and tls in the"
            " target file"
        )
    if reason == "tls_failed":
        return f"no TLS on this port ({reason}); correct port, or remove tls: true from the target file"
    return None


class _Talk:
    """One connection that is read at once, without the epoll set."""

    def __init__(self, opened: Opened, dialect: Dialect, channels: list[str], url: str) -> None:
        self._socket = opened.socket
        self._channels = channels
        self._url = url
        self._dialect_name = dialect.name
        compiled = compile_dialect(dialect)
        self._conversation = Conversation(compiled, channels)
        self.ear = Ear(compiled, channels)
        self.listened_s = 0.0
        self._first: str | None = None
        self._began_s = time.monotonic()
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
                        f"({_told(reception)}); correct channels and symbols in the target file"
                    )
            if self._conversation.pending:
                trouble = self._end or ("TimeoutError" if time.monotonic() > deadline_s else None)
        first = "" if self._first is None else f", the first: {self._first}"
        raise UnreachableError(
            f"{self._url}: {', '.join(self._channels)} was not confirmed in dialect "
            f"{self._dialect_name} within {units.duration(time.monotonic() - self._began_s)} "
            f"({self._ending(trouble)}, {units.counted(seen, 'other frame')} came{first}); "
            f"{self._remedy()}"
        )

    def _ending(self, trouble: str) -> str:
        """Return how waiting for the confirmation ended."""
        if self._reader.closing is None:
            return _WAITED.get(trouble, trouble)
        code, reason = self._reader.closing
        said = f" {printable(reason, _SHOWN_LETTERS)!r}" if reason else " without a reason"
        return f"the target closed it with {code}{said}"

    def _remedy(self) -> str:
        if self._reader.closing is not None and self._reader.closing[0] in _NOT_ALLOWED:
            return "use credentials that may subscribe to these channels, or check whether the target is full"
        if self._first is None:
            return "correct dialect, channels and symbols in the target file"
        return "correct subscribe.ack of the dialect by that frame, or channels and symbols"

    def updates(self, listen_s: float) -> int:
        """Return how many updates come in *listen_s*, or until the target has enough of us.

        Where frames come that say nothing to us, it goes on until one does or its time is up.
        """
        began_s = time.monotonic()
        count = self._updates_until(began_s + listen_s)
        if self.ear.is_puzzled:
            self._updates_until(began_s + TRIAL_S, is_one_enough=True)
        self.listened_s = time.monotonic() - began_s
        return count

    def _updates_until(self, deadline_s: float, *, is_one_enough: bool = False) -> int:
        count = 0
        with contextlib.suppress(OSError):
            while self._end is None and time.monotonic() < deadline_s:
                self._send(deadline_s)
                count += sum(reception.kind is Kind.DATA for reception in self._receive())
                if is_one_enough and count:
                    break
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
        receptions: list[Reception] = []
        for payload in payloads:
            is_confirmed = not self._conversation.pending
            reception = self._conversation.receive(payload)
            if is_confirmed or reception.kind is Kind.DATA:
                self.ear.note(bytes(payload), reception)
            elif reception.kind is Kind.UNMATCHED and self._first is None:
                self._first = shown(bytes(payload))
            receptions.append(reception)
        self._unsent += [masked_frame(text) for each in receptions for text in each.replies]
        return receptions


def try_request(target: Target, dialect: Dialect) -> None:
    """Make the target file's REST request once. Raises UnreachableError unless it succeeds."""
    assert target.rest is not None
    poll = polls_of(target, dialect)[0]
    place = poll.url.partition("?")[0]  # What follows may hold a key.
    connection = poll_connection(target, dialect, poll, itertools.repeat(None), TRIAL_S)
    try:
        answer = connection.exchange(poll.head + b"\r\n" + poll.body, is_repeatable=False)
    except ExchangeError as error:
        no_answer = f"no answer to the REST request ({error}); {request_remedy(str(error))}"
        raise UnreachableError(f"{place}: {_known_trouble(error) or no_answer}") from None
    connection.close()
    if not 200 <= answer.status < 300:
        raise UnreachableError(
            f"{place}: the REST request returned {answer.status}; {answer_remedy(answer.status)}"
        )
