"""One connection's side of the conversation, without a socket and without a clock.

Rule 1: what the target sends never raises; what is wrong with it stands in Reception.problem.
Rule 2: what the caller asks for and is impossible raises ProtocolError and changes nothing.
Rule 3: a conversation holds only what is its own; the dialect is compiled once and shared.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from capacity.domain.errors import ProtocolError
from capacity.workload.compiled import CompiledDialect, CompiledRequest, Frame, Rule
from capacity.workload.matching import MISSING
from capacity.workload.reception import HEARTBEAT, IGNORED, Kind, Reception, unmatched
from capacity.workload.shortcut import CHECK_EVERY, Lane
from capacity.workload.subscription import TRANSITIONS, Event, State, advance

LIVE = State.LIVE

__all__ = ["Conversation", "Kind", "Reception"]

Payload = bytes | bytearray | memoryview


class _Open(NamedTuple):
    """A request that waits for its answer."""

    request: CompiledRequest
    channels: tuple[str, ...]


class Conversation:
    __slots__ = (
        "_dialect",
        "_glances",
        "_next_id",
        "_numbers",
        "_open",
        "_states",
        "_waiting",
        "channels",
    )

    def __init__(self, dialect: CompiledDialect, channels: Sequence[str] = ()) -> None:
        self.channels = channels
        """Wire names that the connection is to follow; those its address names, if it does."""
        self._dialect = dialect
        self._glances = 0
        self._next_id = 1
        self._numbers: dict[str, int | None] = {}
        self._open: dict[int | str, _Open] = {}
        self._states: dict[str, State] = {}
        self._waiting = 0

    @property
    def live(self) -> set[str]:
        """Channels with a confirmed subscription."""
        return {channel for channel, state in self._states.items() if state is State.LIVE}

    @property
    def pending(self) -> bool:
        """Some channel is neither confirmed nor refused, or not yet ended."""
        return self._waiting > 0

    def may_subscribe(self, channel: str) -> bool:
        """Whether *channel* is neither followed nor about to be, nor still about to end."""
        state = self._states.get(channel, State.IDLE)
        return Event.SUBSCRIBE_SENT in TRANSITIONS[state]

    def opening(self) -> list[bytes]:
        """Return the frames to send right after the handshake."""
        return [frame(self._new_id()) for frame in self._dialect.openings]

    def every(self) -> list[tuple[float, bytes]]:
        """Return (interval in seconds, frame) of all periodic sends."""
        return [(every_s, frame(self._new_id())) for every_s, frame in self._dialect.periodic]

    def subscribe(self, channels: Sequence[str] | None = None) -> list[bytes]:
        """Return the frames that subscribe to *channels*, by default to all it is to follow."""
        wanted = tuple(dict.fromkeys(self.channels if channels is None else channels))
        self._advance(wanted, Event.SUBSCRIBE_SENT)
        for channel in wanted:
            self._numbers.pop(channel if self._dialect.key is not None else "", None)
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

    def glance(self, payload: bytes) -> float | None:
        """Take note of an update like those before it, and return when it was published.

        None is no verdict: give the payload to `receive`, which reads it in full.
        """
        self._glances += 1
        if self._glances == CHECK_EVERY:
            self._glances = 0
            return None
        shortcuts = self._dialect.shortcuts
        for shortcut in shortcuts.known:
            found = shortcut.match(payload)
            if found is None:
                continue
            lane = shortcuts.lanes.get(found[shortcut.channel_at])
            if lane is None or lane.shortcut is not shortcut:
                continue  # Channels may look alike and be numbered differently.
            if self._waiting if not lane.channel else self._states.get(lane.channel) is not LIVE:
                return None
            published_at_s = shortcut.seconds(found)
            if published_at_s is not None and shortcut.seq_at:
                number = shortcut.number(found, self._numbers.get(lane.numbered))
                if number is None:
                    return None
                self._numbers[lane.numbered] = number
            return published_at_s
        return None

    def receive(self, payload: Payload) -> Reception:  # noqa: PLR0911 - one return for each kind
        """Return what a data frame's payload means, and take note of it."""
        dialect = self._dialect
        if dialect.texts and (text := bytes(payload)) in dialect.texts:
            return self._heartbeat(dialect.texts[text])
        try:
            frame = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return unmatched("not JSON", payload)
        if type(frame) is not dict:
            return unmatched("not a JSON object", payload)
        if dialect.is_data(frame):
            return self._update(frame, payload)
        if self._open and (request_id := self._answered(frame)) is not None:
            return self._answer(self._open.pop(request_id), frame)
        for fits, reply in dialect.answers:
            if fits(frame):
                return self._heartbeat(reply)
        for fits in dialect.ignored:
            if fits(frame):
                return IGNORED
        return unmatched("no rule for", payload)

    def _update(self, frame: Any, payload: Payload) -> Reception:
        dialect = self._dialect
        if dialect.key is None:
            channel = self.channels[0] if self.channels else None
            if self._waiting:
                self._confirm_by_update(self.channels)
        else:
            channel = dialect.key(frame)
            if type(channel) is not str:
                return unmatched("an update without its channel", payload)
            state = self._states.get(channel)
            if state is not State.LIVE:
                if state is State.ENDED:
                    return IGNORED
                if state is None or state is State.REJECTED:
                    return unmatched("an update of a channel not subscribed to", payload)
                self._confirm_by_update((channel,))
        update = frame if dialect.items is None else dialect.items(frame)
        if update is MISSING:
            return unmatched("an update without its content", payload)
        reception = self._delivered(frame, update, channel)
        if dialect.shortcuts.is_open and reception.problem is None and type(update) is not list:
            self._note_shortcut(bytes(payload), reception)
        return reception

    def _note_shortcut(self, payload: bytes, reception: Reception) -> None:
        """Let later updates like this one be read by a shortcut, if one reads this one right."""
        shortcuts = self._dialect.shortcuts
        rule = self._rule(reception.channel)
        shortcut = shortcuts.fitting(payload, rule.source if rule else None)
        found = shortcut.match(payload) if shortcut else None
        if shortcut is None or found is None:
            return
        named = reception.channel if self._dialect.key is not None else ""
        numbered = self._numbered(rule) if rule else ""
        read_right = (
            found[shortcut.channel_at] == (named or "").encode()
            and shortcut.seconds(found) == reception.published_at_s
            and (rule is None or int(found[shortcut.seq_at]) == self._numbers[numbered])
        )
        if read_right:
            lane = Lane(shortcut, named or "", numbered)
            shortcuts.lanes[found[shortcut.channel_at]] = lane
        else:
            shortcuts.give_up()

    def _delivered(self, frame: Any, update: Any, channel: str | None) -> Reception:
        """Read the time of an update, or of each in a list of them, and check its number."""
        rule = self._rule(channel)
        clock = self._dialect.clock
        published_at_s: float | None = None
        missed = 0
        problem: str | None = None
        for item in update if type(update) is list else (update,):
            if clock is not None:
                published_at_s = clock(frame, item)
            if rule is not None:
                numbered = self._numbered(rule)
                last = self._numbers.get(numbered)
                number, more, trouble = rule.check(frame, item, last)
                self._numbers[numbered] = number
                missed += more
                problem = problem or trouble
        return Reception(Kind.DATA, channel, published_at_s, missed, (), problem)

    def _rule(self, channel: str | None) -> Rule | None:
        """Return the numbering to check.

        There is none where each channel has its own but updates do not name their channel.
        """
        if channel is None:
            return None
        rule = self._dialect.rule_of(channel)
        if self._dialect.key is None and len(self.channels) > 1 and rule and rule.numbered:
            return None
        return rule

    def _numbered(self, rule: Rule) -> str:
        """Return what a rule's last number is kept under: one for all where nothing is named."""
        return rule.numbered if self._dialect.key is not None else ""

    def _confirm_by_update(self, channels: Iterable[str]) -> None:
        if self._dialect.confirm == "first_data":
            requested = [c for c in channels if self._states.get(c) is State.REQUESTED]
            self._advance(requested, Event.CONFIRMED)

    def _answered(self, frame: Any) -> int | str | None:
        """Return the id of the open request that *frame* answers."""
        for request_id, (request, _) in self._open.items():
            ack = request.ack
            if ack is not None and ack.fits(frame):
                if ack.id_of is None:
                    return request_id
                answered = ack.id_of(frame)
                is_id = type(answered) is int or type(answered) is str
                return answered if is_id and answered in self._open else None
        return None

    def _answer(self, asked: _Open, frame: Any) -> Reception:
        """Advance the channels of a request by its answer."""
        (request, channels) = asked
        if not self._open:
            self._open = {}  # An emptied dict keeps its table, in every connection.
        is_subscribe = request is self._dialect.subscribe
        verb = "subscribe" if is_subscribe else "unsubscribe"
        accepted, problem = request.outcome(frame, channels)
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
        return Reception(Kind.REJECTED, problem=f"{verb}: {problem}")

    def _heartbeat(self, reply: Frame | None) -> Reception:
        if reply is None:
            return HEARTBEAT
        return Reception(Kind.HEARTBEAT, replies=(reply(self._new_id()),))

    def _asked(self, request: CompiledRequest, channels: tuple[str, ...]) -> list[bytes]:
        """Return the frames of a request, and wait for their answers."""
        frames = []
        for start in range(0, len(channels), request.batch):
            batch = channels[start : start + request.batch]
            request_id = self._new_id()
            frames.append(request.frame(request_id, batch))
            if request.ack is not None:
                self._open[request.ack.id_type(request_id)] = _Open(request, batch)
        return frames

    def _advance(self, channels: Iterable[str], event: Event) -> None:
        """Advance all *channels*, or none of them if it is illegal for one."""
        states = self._states
        after = {c: advance(states.get(c, State.IDLE), event) for c in channels}
        for channel, state in after.items():
            self._waiting += _waits(state) - _waits(states.get(channel, State.IDLE))
            states[channel] = state

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _waits(state: State) -> bool:
    return state is State.REQUESTED or state is State.LEAVING
