"""The conversation over one trial connection, which is read at once, without the epoll set."""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capacity.domain import units
from capacity.domain.errors import UnreachableError
from capacity.domain.words import printable, says_too_fast
from capacity.loadgen.checks.heard_frames import HeardFrames, told
from capacity.loadgen.checks.not_confirmed import LoginRefusedError, NotConfirmedError
from capacity.loadgen.checks.rejections import (
    TOO_MANY,
    refusal_remedy,
    says_too_many,
)
from capacity.loadgen.checks.watcher import Watcher
from capacity.loadgen.wire.compression import Inflater
from capacity.loadgen.wire.connection_values import at_this_moment
from capacity.loadgen.wire.frames import INFLATES, TOO_BIG, FrameReader, closing_text
from capacity.loadgen.wire.handshake import Opened
from capacity.loadgen.wire.streams.readers import Reader
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.encodings.payload import hint_for
from capacity.workload.dialects.redaction import BY_CHANCE_LETTERS, redacted, redacted_words
from capacity.workload.profiles.request_rate import interval_alone_s
from capacity.workload.reception import Kind, Reception

_SHOWN_LETTERS = 160
_WAITED = {
    "TimeoutError": "no confirmation in time",
    "closed_by_target": "the target closed it",
    "connection_ended": "the target ended the connection",
}
_NOT_ALLOWED = {1008, 4401, 4403}
"""Codes of close frames that say who may not (RFC 6455, section 7.4.1, and 4000 + HTTP's)."""


class TrialConversation:
    """Asks for channels, waits until they are confirmed, and listens."""

    def __init__(
        self,
        opened: Opened,
        dialect: Dialect,
        channels: list[str],
        url: str,
        values: Mapping[str, Any],
        *,
        watcher: Watcher,
        within_s: float,
        row: str | None = None,
    ) -> None:
        """Begin with *opened*; of *values* nothing is shown but their *row*, *within_s* is waited for confirmations."""
        self._socket = opened.socket
        self._channels = channels
        self._url = url
        self._dialect_name = dialect.name
        compiled = self._compiled = compile_dialect(dialect)
        compiled.book_share.is_whole = True
        self._said_s: dict[int, float] = {}
        self._conversation = Conversation(compiled, channels, at_this_moment(values))
        self.heard_frames = HeardFrames(compiled, channels)
        self.listened_s = 0.0
        self._first: str | None = None
        self._hint: str | None = None
        self._began_s = time.monotonic()
        inflater = Inflater(opened.compression) if opened.compression is not None else None
        self._reader: Reader = opened.reader or FrameReader(dialect.ws.max_message_bytes, inflater)
        self._is_over = False
        self._within_s = within_s
        self._given_by = "the target file gives for it" + ("" if row is None else f" ({row})")
        self._watcher = watcher
        self._given = {name: value for name, value in values.items() if name != "connection"}
        self._unsent: list[bytes] = []
        self._due_s = self._began_s
        """When the next request may go out."""
        self._say(self._conversation.start())
        self._interval_s = interval_alone_s(dialect)
        self._deadline_s = self._began_s + within_s + self._interval_s * len(channels)

    def subscribe(self) -> None:
        """Read until every channel is confirmed, or time is up, whatever else comes."""
        deadline_s = self._deadline_s
        seen, trouble = 0, None
        while trouble is None:
            try:
                self._send(deadline_s)
                if not self._conversation.pending and not self._unsent:
                    return
                receptions = self._receive()
            except OSError as error:
                if (
                    self._unsent
                    and time.monotonic() < deadline_s
                    and isinstance(error, TimeoutError)
                ):
                    continue  # The next request has its turn.
                with contextlib.suppress(OSError):  # A close frame may wait behind what broke.
                    self._receive()
                trouble = self._end or type(error).__name__
                break
            seen += len(receptions)
            for reception in receptions:
                if (refusal := self._conversation.refusal) is not None:
                    raise LoginRefusedError(
                        f"{self._url}: the target refuses what the dialect opens with "
                        f"({_shown(self._words(f'opening: {refusal}'))}); correct the values that {self._given_by},"
                        " or opening in the dialect"
                    )
                if reception.kind is Kind.REJECTED:
                    told, refused = _told(reception), self._unconfirmed()
                    raise NotConfirmedError(
                        f"{self._url}: the target refuses {', '.join(refused)} ({told}); "
                        f"{refusal_remedy(told)}",
                        self._url,
                        told,
                        refused,
                    )
            if self._conversation.pending:
                trouble = self._end or ("TimeoutError" if time.monotonic() > deadline_s else None)
        if self._conversation.is_opening:
            raise UnreachableError(
                f"{self._url}: a step of opening in dialect {self._dialect_name}, as a login, was not"
                f" answered ({self._ending(trouble)}); correct the values that {self._given_by},"
                " or opening in the dialect"
            )
        missing, ending = self._unconfirmed(), self._ending(trouble)
        first = "" if self._first is None else f", the first: {self._first.replace('; ', ', ')}"
        raise NotConfirmedError(
            f"{self._url}: {', '.join(missing)} was not confirmed in dialect "
            f"{self._dialect_name} within {units.duration(time.monotonic() - self._began_s)} "
            f"({ending}, {units.counted(seen, 'other frame')} came{first}); {self._remedy()}",
            self._url,
            ending,
            missing,
        )

    def _unconfirmed(self) -> list[str]:
        live = self._conversation.live
        return [channel for channel in self._channels if channel not in live] or self._channels

    def _ending(self, trouble: str) -> str:
        """Return how waiting for the confirmation ended."""
        if self._reader.closing is None:
            return _WAITED.get(trouble, trouble)
        said = self._words(closing_text(*self._reader.closing))
        return f"the target {said.replace('closed', 'closed it', 1)}"

    def _remedy(self) -> str:
        closing = self._reader.closing
        if closing is not None and says_too_fast(closing[1]):
            return (
                "set ws.requests_per_s in the dialect, or subscribe to many channels in one frame with"
                " {channels:list}"
            )
        if closing is not None and says_too_many(closing[1]):
            return TOO_MANY
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
        if self.heard_frames.is_puzzled:
            self._updates_until(began_s + self._within_s, is_one_enough=True)
        self.listened_s = time.monotonic() - began_s
        return count

    def ended(self) -> tuple[str, str] | None:
        """Return how the connection ended, if it did, and what to do about it."""
        end = self._end
        if end is None:
            return None
        if end in {TOO_BIG, INFLATES}:
            most = f"{self._compiled.source.ws.max_message_bytes:,} bytes"
            return (
                f"we closed it, because a message is larger than ws.max_message_bytes ({most})",
                "raise ws.max_message_bytes in the dialect, or follow channels with smaller messages",
            )
        if self._reader.closing is None and end not in _WAITED:
            return f"we closed it ({end})", "look at the target: what it sends is no WebSocket"
        return self._ending(end), (
            "look into the target's log at that time; where it ends connections that say nothing, give the"
            " dialect the heartbeat that it wants"
        )

    def _updates_until(self, deadline_s: float, *, is_one_enough: bool = False) -> int:
        count = 0
        try:
            while self._end is None and time.monotonic() < deadline_s:
                self._send(min(deadline_s, self._kept_alive()))
                with contextlib.suppress(TimeoutError):
                    count += sum(reception.updates for reception in self._receive())
                if is_one_enough and count:
                    break
        except OSError as error:
            # A reset is an end as well; a time-out is the deadline, which passed while we were sending.
            self._is_over = not isinstance(error, TimeoutError)
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
        """Send what may go; who waits for the turn of the rest listens meanwhile."""
        now_s = time.monotonic()
        self._socket.settimeout(max(0.001, deadline_s - now_s))
        if not self._interval_s:
            self._socket.sendall(b"".join(self._unsent))
            self._unsent.clear()
        elif self._unsent and now_s >= self._due_s:
            self._socket.sendall(self._unsent.pop(0))
            self._due_s = now_s + self._interval_s
        if self._unsent:
            self._socket.settimeout(max(0.001, min(deadline_s, self._due_s) - now_s))

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
            self._watcher.heard(redacted(payload, self._secrets, BY_CHANCE_LETTERS), of_frame)
            receptions += of_frame
        self._say([text for each in receptions for text in each.replies])
        return receptions

    def _understand(self, message: bytes) -> Iterator[Reception]:
        is_confirmed = not self._conversation.pending
        for reception in map(self._without_secrets, self._conversation.receive_all(message)):
            if is_confirmed or reception.kind is Kind.DATA:
                self.heard_frames.note(message, reception)
            elif reception.kind is Kind.UNMATCHED and self._first is None:
                self._first, self._hint = told(reception, message), hint_for(message)
            yield reception

    def _say(self, texts: Sequence[bytes]) -> None:
        for text in texts:
            self._watcher.sent(redacted(text, self._secrets))
            self._unsent.append(self._reader.framed(text, is_binary=self._compiled.is_binary))

    @property
    def _secrets(self) -> Mapping[str, Any]:
        return {**self._given, **self._conversation.kept}

    def _words(self, said: str) -> str:
        return redacted_words(said, self._secrets)

    def _without_secrets(self, reception: Reception) -> Reception:
        if reception.problem is None:
            return reception
        return reception._replace(problem=self._words(reception.problem))


def _told(reception: Reception) -> str:
    return _shown(reception.problem or "no reason given")


def _shown(text: str) -> str:
    return printable(text, _SHOWN_LETTERS).replace("; ", ", ")
