"""One connection's side of the conversation, without a socket and without a clock.

Rule 1: what the target sends never raises; what is wrong with it stands in Reception.problem.
Rule 2: what the caller asks for and is impossible raises ProtocolError and changes nothing.
Rule 3: a conversation holds only what is its own; the dialect is compiled once and shared.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from capacity.domain.errors import ProtocolError
from capacity.workload.dialects.compiled import CompiledDialect
from capacity.workload.dialects.encodings.payload import what_is_no_json
from capacity.workload.dialects.matching import MISSING
from capacity.workload.dialects.opening import Opening
from capacity.workload.dialects.sending import CompiledRequest, Frame
from capacity.workload.dialects.values import NOTHING, FrameValues
from capacity.workload.followed_channels import FollowedChannels, Payload
from capacity.workload.reception import HEARTBEAT, IGNORED, OPAQUE, Kind, Reception, unmatched
from capacity.workload.subscription import TRANSITIONS, Event, State

__all__ = ["Conversation", "Kind", "Reception"]

Values = Callable[[], Mapping[str, Any]]
"""-> what the templates of one request may hold beside what it brings itself."""


class _Open(NamedTuple):
    """A request that waits for its answer."""

    request: CompiledRequest
    channels: tuple[str, ...]


class Conversation(FollowedChannels):
    __slots__ = ("_next_id", "_open", "_values")

    def __init__(
        self,
        dialect: CompiledDialect,
        channels: Sequence[str] = (),
        values: Values = lambda: NOTHING,
        *,
        first_id: int = 1,
    ) -> None:
        super().__init__(dialect, channels)
        self._next_id = first_id
        self._open: dict[int | str, _Open] = {}
        self._values = values

    @property
    def pending(self) -> bool:
        """Some channel is neither confirmed nor refused, or not yet ended, or a step is due."""
        return self._waiting > 0 or self.is_opening

    @property
    def is_opening(self) -> bool:
        """Steps before the subscriptions are not done yet."""
        return self._opening is not None and self._opening.is_due

    @property
    def refusal(self) -> str | None:
        """Why the target let a step before the subscriptions fail; None if it did not."""
        return None if self._opening is None else self._opening.refusal

    @property
    def kept(self) -> Mapping[str, Any]:
        """What answers told in the steps before the subscriptions, by name."""
        return NOTHING if self._opening is None else self._opening.kept

    def may_subscribe(self, channel: str) -> bool:
        """Whether *channel* is neither followed nor about to be, nor still about to end."""
        state = self._states.get(channel, State.IDLE)
        return not self.is_opening and Event.SUBSCRIBE_SENT in TRANSITIONS[state]

    def start(self) -> list[bytes]:
        """Return all frames to send right after the handshake; further ones come as replies."""
        return [*self.opening(), *self._next_steps()]

    def go_on_from(self, before: "Conversation") -> None:
        """Check numbers on from where another connection ended, because the target is asked to go on there."""
        self._numbers.update(before.numbers)

    def opening(self) -> list[bytes]:
        """Return the frames that are sent right after the handshake and wait for nothing."""
        return [frame(self._request_values()) for frame in self._dialect.openings]

    def every(self, rule: int) -> bytes:
        """Return the frame of the periodic rule with this number."""
        _every_s, frame = self._dialect.periodic[rule]
        return frame(self._request_values())

    def subscribe(self, channels: Sequence[str] | None = None) -> list[bytes]:
        """Return the frames that subscribe to *channels*, by default to all it is to follow."""
        wanted = tuple(dict.fromkeys(self.channels if channels is None else channels))
        self._advance(wanted, Event.SUBSCRIBE_SENT)
        for channel in wanted:
            self._numbers.pop(channel if self._dialect.has_names else "", None)
        self._forget_books(wanted)
        if self._dialect.confirm == "none":
            self._advance(wanted, Event.CONFIRMED)
        return self._asked(self._dialect.subscribe, wanted) if self._dialect.subscribe else []

    def unsubscribe(self, channels: Sequence[str]) -> list[bytes]:
        """Return the frames that end the subscriptions to *channels*."""
        request = self._dialect.unsubscribe
        if request is None:
            raise ProtocolError(f"dialect {self._dialect.source.name} has no unsubscribe")
        unwanted = tuple(dict.fromkeys(channels))
        self._advance(unwanted, Event.UNSUBSCRIBE_SENT)
        if request.ack is None:
            self._advance(unwanted, Event.END_CONFIRMED)
        return self._asked(request, unwanted)

    def readdress(self, frame: Any, ids: Container[Any]) -> None:
        """Take the oldest request that *frame* may answer for one that was sent under the id it names.

        For recordings: their client had *ids* of its own.
        """
        if self._opening is not None and self._opening.is_due:
            self._opening.readdress(frame, ids)
            return
        for request_id, asked in self._open.items():
            ack = asked.request.ack
            if ack is None or ack.id_of is None or not ack.fits(frame):
                continue
            answered = ack.id_of(frame)
            if type(answered) is not ack.id_type or answered not in ids:
                return
            if answered not in self._open:
                rest = {key: value for key, value in self._open.items() if key != request_id}
                self._open = {answered: asked, **rest}
            return

    def messages(self, payloads: Sequence[bytes]) -> Sequence[bytes]:
        """Return the messages that are in the payloads of frames, unpacked."""
        envelope = self._dialect.envelope
        if envelope is None:
            return payloads
        return [message for payload in payloads for message in envelope.messages(payload)]

    def receive_all(self, message: bytes) -> Iterable[Reception]:
        """Return what a message means, or each entry of its list, and take note of it."""
        entries = self._dialect.entries
        if entries is None or self._is_text(message):
            return (self.receive(message),)
        try:
            frame = self._dialect.parse(message)
        except orjson.JSONDecodeError:
            return (self.receive(message),)
        return [self._receive(entry, message) for entry in entries(frame)]

    def receive(self, payload: Payload) -> Reception:
        """Return what a message means, and take note of it."""
        dialect = self._dialect
        if self._opening is not None and self._opening.is_text(bytes(payload)):
            return self._stepped(self._opening, MISSING)
        if dialect.texts and (text := bytes(payload)) in dialect.texts:
            return self._heartbeat(dialect.texts[text], MISSING, payload)
        try:
            frame = dialect.parse(payload)
        except orjson.JSONDecodeError as error:
            if dialect.is_opaque:
                self._confirm_by_update(self.channels)
                return OPAQUE
            what = what_is_no_json(bytes(payload)) if dialect.is_json else error.msg
            return unmatched(what, payload)
        return self._receive(frame, payload)

    def _is_text(self, message: bytes) -> bool:
        """Tell whether a rule is for exactly this text."""
        opening = self._opening
        return message in self._dialect.texts or (opening is not None and opening.is_text(message))

    def _receive(self, frame: Any, payload: Payload) -> Reception:
        dialect = self._dialect
        if type(frame) is not dict and type(frame) is not list:
            return unmatched("neither a JSON object nor a list", payload)
        if self._opening is not None and self._opening.is_answer(frame):
            return self._stepped(self._opening, frame)
        for rule in dialect.updates:
            if rule.fits(frame):
                return self._update(rule, frame, payload)
        return self._numbered(frame, self._no_update(frame, payload))

    def _no_update(self, frame: Any, payload: Payload) -> Reception:
        dialect = self._dialect
        if self._open and (request_id := self._answered(frame)) is not None:
            return self._answer(request_id, frame)
        for fits, reply in dialect.answers:
            if fits(frame):
                return self._heartbeat(reply, frame, payload)
        for fits in dialect.ignored:
            if fits(frame):
                return IGNORED
        return unmatched(dialect.why_unmatched(frame), payload)

    def _next_steps(self) -> list[bytes]:
        """Return what is sent up to the next answer that is waited for, the subscriptions at last."""
        frames: list[bytes] = []
        opening = self._opening
        for step in opening.sendable() if opening is not None else ():
            assert opening is not None
            if step.frame is not None:
                opening.sent_id = self._next_id
                frames.append(step.frame(self._request_values()))
        return frames if self.is_opening else [*frames, *self.subscribe()]

    def _stepped(self, opening: Opening, frame: Any) -> Reception:
        """Go on with the next step, unless this one was refused."""
        opening.take(frame)
        replies: list[bytes] = []
        if opening.refusal is None:
            with opening.refused_for_values():
                replies = self._next_steps()
        if opening.refusal is not None:
            return Reception(Kind.REJECTED, problem=f"opening {opening.refusal}")
        return Reception(Kind.ACK, replies=tuple(replies))

    def _answered(self, frame: Any) -> int | str | None:
        """Return the id of the open request that *frame* answers."""
        for request_id, (request, _) in self._open.items():
            ack = request.ack
            if ack is not None and ack.fits(frame):
                if ack.id_of is None:
                    return self._oldest_about(frame, request, request_id)
                answered = ack.id_of(frame)
                is_id = type(answered) is int or type(answered) is str
                return answered if is_id and answered in self._open else None
        return None

    def _oldest_about(
        self, frame: Any, request: CompiledRequest, oldest: int | str
    ) -> int | str | None:
        """Return the request that has the channel which an answer names, else the oldest."""
        assert request.ack is not None
        channel = MISSING if request.ack.channel is None else request.ack.channel(frame)
        if type(channel) is str:
            for request_id, asked in self._open.items():
                if asked.request is request and channel in asked.channels:
                    return request_id
        return oldest

    def _answer(self, request_id: int | str, frame: Any) -> Reception:
        """Advance the channels of a request by its answer."""
        (request, channels) = self._open.pop(request_id)
        ack = request.ack
        assert ack is not None
        named = MISSING if ack.channel is None else ack.channel(frame)
        if type(named) is str and named in channels:
            rest = tuple(channel for channel in channels if channel != named)
            channels = (named,)
            if rest:
                self._open = {request_id: _Open(request, rest), **self._open}
        if not self._open:
            self._open = {}  # An emptied dict keeps its table, in every connection.
        is_subscribe = request is self._dialect.subscribe
        verb = "subscribe" if is_subscribe else "unsubscribe"
        accepted, problem = request.outcome(frame, channels)
        if accepted and is_subscribe and ack.alias is not None:
            self._alias(ack.alias(frame), accepted[0])
        refused = [channel for channel in channels if channel not in accepted]
        waits = State.REQUESTED if is_subscribe else State.LEAVING
        self._advance([c for c in refused if self._states[c] is waits], Event.REFUSED)
        if not is_subscribe or self._dialect.confirm == "ack":
            event = Event.CONFIRMED if is_subscribe else Event.END_CONFIRMED
            self._advance([c for c in accepted if self._states[c] is waits], event)
        if problem is None and not refused:
            return Reception(Kind.ACK)
        if problem is None:
            problem = f"{len(refused)} of {len(channels)} channels refused: {', '.join(refused)}"
        return Reception(Kind.REJECTED, problem=f"{verb}: {problem}", refused=len(refused))

    def _heartbeat(self, reply: Frame | None, frame: Any, payload: Payload) -> Reception:
        if reply is None:
            return HEARTBEAT
        try:
            return Reception(Kind.HEARTBEAT, replies=(reply(self._request_values(frame)),))
        except (KeyError, TypeError, ValueError) as error:
            return unmatched(f"no value for the answer ({error}) in", payload)

    def _asked(self, request: CompiledRequest, channels: tuple[str, ...]) -> list[bytes]:
        """Return the frames of a request, and wait for their answers."""
        frames = []
        for start in range(0, len(channels), request.batch):
            batch = channels[start : start + request.batch]
            request_id = self._next_id
            frames.append(request.frame(self._request_values(asked=_Open(request, batch))))
            if request.ack is not None:
                self._open[request.ack.id_type(request_id)] = _Open(request, batch)
        return frames

    def _request_values(self, frame: Any = MISSING, asked: _Open | None = None) -> FrameValues:
        """Return the values of the next request, which takes the next id."""
        own: dict[str, Any] = {"id": self._next_id, **self.kept}
        self._next_id += 1
        about = asked and asked.request.about(asked.channels, self._aliases)
        return FrameValues(own, self._values(), self._dialect.source.signatures, frame, about)
