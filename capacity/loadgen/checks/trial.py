"""One connection before thousands: does the target speak the dialect at all?"""

import contextlib
import itertools
import math
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from capacity.domain import units
from capacity.domain.errors import UnreachableError
from capacity.domain.words import printable
from capacity.loadgen.checks.hearing import Ear, told
from capacity.loadgen.checks.rejections import (
    handshake_remedy,
    known_trouble,
    refusal_remedy,
    says_too_fast,
)
from capacity.loadgen.checks.watcher import Nobody, Watcher, without_secrets
from capacity.loadgen.wire.compression import Inflater
from capacity.loadgen.wire.connection_values import ConnectionValues, at_this_moment
from capacity.loadgen.wire.endpoint import endpoint_of
from capacity.loadgen.wire.frames import FrameReader, closing_text
from capacity.loadgen.wire.handshake import HandshakeError, Opened
from capacity.loadgen.wire.streams.opener import open_connection
from capacity.loadgen.wire.streams.readers import Reader
from capacity.loadgen.wire.tls import client_context
from capacity.planning.safety.heard_updates import Heard
from capacity.settings.target import Target
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.address import channels_of, shown_url, websocket_url
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.payload import hint_for
from capacity.workload.profiles.pacing import request_interval_s
from capacity.workload.reception import Kind, Reception

TRIAL_S = 5.0
_SHOWN_LETTERS = 160
_SPOKEN = {"websocket": "WebSocket", "event_stream": "event stream", "long_poll": "long poll"}
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
    target: Target,
    dialect: Dialect,
    *,
    subscriptions: int = 1,
    listen_s: float = 0.0,
    watcher: Watcher | None = None,
) -> Trial:
    """Connect, subscribe and see it confirmed, then listen for so long.

    Raises UnreachableError with what went wrong, or ConfigError for unusable certificates.
    """
    channels = channels_of(dialect, 0, target.channels, target.symbols, subscriptions)
    if target.tls:
        client_context(target.certificates)
    given = ConnectionValues(target, dialect, itertools.repeat(None))
    url = websocket_url(
        dialect,
        host=target.host,
        port=target.port,
        tls=target.tls,
        channels=channels,
        values=dict.fromkeys((*dialect.needs, "connection"), "0"),
    )
    began_s = time.monotonic()
    try:
        values = given.of(0)
        endpoint = endpoint_of(target, dialect, channels, values=values)
        opened = open_connection(replace(endpoint, timeout_s=min(endpoint.timeout_s, TRIAL_S)))
    except HandshakeError as error:
        why = f"{error}: {error.told}" if error.told is not None else str(error)
        nothing = (
            f"no {_SPOKEN[dialect.ws.transport]} there ({why}); {handshake_remedy(str(error))}"
        )
        raise UnreachableError(
            f"{shown_url(url)}: {known_trouble(error, TRIAL_S) or nothing}"
        ) from None
    with opened.socket:
        talk = _Talk(opened, dialect, channels, shown_url(url), values, watcher=watcher or Nobody())
        talk.subscribe()
        opened_s = time.monotonic() - began_s
        updates_per_s = talk.updates(listen_s) / listen_s if listen_s else None
        with contextlib.suppress(OSError):
            opened.socket.send(talk.goodbye)
        return Trial(
            opened_s=opened_s,
            updates_per_s=updates_per_s,
            heard=talk.ear.heard(talk.listened_s),
            certificate_ends_at=_certificate_ends_at(opened.socket),
        )


def _told(reception: Reception) -> str:
    problem = reception.problem or "no reason given"
    return printable(problem, _SHOWN_LETTERS).replace("; ", ", ")


def _certificate_ends_at(connected: Any) -> float | None:
    if not isinstance(connected, ssl.SSLSocket):
        return None
    ends = (connected.getpeercert() or {}).get("notAfter")
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None


class _Talk:
    """One connection that is read at once, without the epoll set."""

    def __init__(
        self,
        opened: Opened,
        dialect: Dialect,
        channels: list[str],
        url: str,
        values: Mapping[str, Any],
        *,
        watcher: Watcher,
    ) -> None:
        self._socket = opened.socket
        self._channels = channels
        self._url = url
        self._dialect_name = dialect.name
        compiled = self._compiled = compile_dialect(dialect)
        self._said_s: dict[int, float] = {}
        self._conversation = Conversation(compiled, channels, at_this_moment(values))
        self.ear = Ear(compiled, channels)
        self.listened_s = 0.0
        self._first: str | None = None
        self._hint: str | None = None
        self._began_s = time.monotonic()
        inflater = Inflater(opened.compression) if opened.compression is not None else None
        most_bytes = dialect.ws.max_message_bytes
        self._reader: Reader = opened.reader or FrameReader(most_bytes, inflater)
        self._is_over = False
        self._watcher = watcher
        self._secrets = {name: str(values[name]) for name in dialect.needs if name in values}
        self._unsent: list[bytes] = []
        self._say(self._conversation.start())
        self._interval_s = request_interval_s(dialect) or 0.0
        self._deadline_s = self._began_s + TRIAL_S + self._interval_s * len(channels)

    def subscribe(self) -> None:
        """Read until every channel is confirmed, or time is up, whatever else comes."""
        deadline_s = self._deadline_s
        seen, trouble = 0, None
        while trouble is None:
            try:
                self._send(deadline_s)
                if not self._conversation.pending:
                    return
                receptions = self._receive()
            except OSError as error:
                with contextlib.suppress(OSError):  # A close frame may wait behind what broke.
                    self._receive()
                trouble = self._end or type(error).__name__
                break
            seen += len(receptions)
            for reception in receptions:
                if self._conversation.refusal is not None:
                    raise UnreachableError(
                        f"{self._url}: the target refuses what the dialect opens with "
                        f"({_told(reception)}); correct the values that the target file gives for it, "
                        "or opening in the dialect"
                    )
                if reception.kind is Kind.REJECTED:
                    told = _told(reception)
                    raise UnreachableError(
                        f"{self._url}: the target refuses {', '.join(self._channels)} ({told}); "
                        f"{refusal_remedy(told)}"
                    )
            if self._conversation.pending:
                trouble = self._end or ("TimeoutError" if time.monotonic() > deadline_s else None)
        if self._conversation.is_opening:
            raise UnreachableError(
                f"{self._url}: a step of opening in dialect {self._dialect_name}, as a login, was not"
                f" answered ({self._ending(trouble)}); correct the values that the target file gives for"
                " it, or opening in the dialect"
            )
        first = "" if self._first is None else f", the first: {self._first.replace('; ', ', ')}"
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
        return f"the target {closing_text(*self._reader.closing).replace('closed', 'closed it')}"

    def _remedy(self) -> str:
        closing = self._reader.closing
        if closing is not None and says_too_fast(closing[1]):
            return (
                "set ws.requests_per_s in the dialect, or subscribe to many channels in one frame with"
                " {channels:list}"
            )
        if closing is not None and closing[0] in _NOT_ALLOWED:
            return "use credentials that may subscribe to these channels, or check whether the target is full"
        if self._hint is not None:
            return self._hint
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
                self._send(min(deadline_s, self._kept_alive()))
                with contextlib.suppress(TimeoutError):
                    count += sum(reception.updates for reception in self._receive())
                if is_one_enough and count:
                    break
        return count

    def _kept_alive(self) -> float:
        """Say what is due by itself, and return when the next is, in monotonic seconds."""
        now_s = time.monotonic()
        for n, (every_s, _frame) in enumerate(self._compiled.periodic):
            if now_s - self._said_s.setdefault(n, self._began_s) >= every_s:
                self._said_s[n] = now_s
                self._say([self._conversation.every(n)])
        return min(
            (self._said_s[n] + every_s for n, (every_s, _) in enumerate(self._compiled.periodic)),
            default=math.inf,
        )

    @property
    def goodbye(self) -> bytes:
        """Return what is sent before we leave, if anything is."""
        return self._reader.goodbye

    @property
    def _end(self) -> str | None:
        return "connection_ended" if self._is_over else self._reader.end

    def _send(self, deadline_s: float) -> None:
        self._socket.settimeout(max(0.001, deadline_s - time.monotonic()))
        if not self._interval_s:
            self._socket.sendall(b"".join(self._unsent))
            self._unsent.clear()
        while self._unsent:
            self._socket.sendall(self._unsent.pop(0))
            if self._unsent:
                time.sleep(self._interval_s)

    def _receive(self) -> list[Reception]:
        """Return what the next bytes say, and note what is to be answered. Raises OSError."""
        data = self._socket.recv(65536)
        self._is_over = not data
        payloads = self._reader.feed(data, self._unsent) if data else ()
        receptions: list[Reception] = []
        for payload in payloads:
            of_frame = [
                reception
                for message in self._conversation.messages((payload,))
                for reception in self._understand(message)
            ]
            self._watcher.heard(payload, of_frame)
            receptions += of_frame
        self._say([text for each in receptions for text in each.replies])
        return receptions

    def _understand(self, message: bytes) -> Iterator[Reception]:
        is_confirmed = not self._conversation.pending
        for reception in self._conversation.receive_all(message):
            if is_confirmed or reception.kind is Kind.DATA:
                self.ear.note(message, reception)
            elif reception.kind is Kind.UNMATCHED and self._first is None:
                self._first, self._hint = told(reception, message), hint_for(message)
            yield reception

    def _say(self, texts: Sequence[bytes]) -> None:
        for text in texts:
            self._watcher.sent(without_secrets(text, self._secrets))
            self._unsent.append(self._reader.framed(text, is_binary=self._compiled.is_binary))
