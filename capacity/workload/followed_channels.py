"""The channels of one connection and the updates that come of them, without socket and clock."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from capacity.workload.dialects.compiled import CompiledDialect, Rule, Updates
from capacity.workload.dialects.matching import MISSING
from capacity.workload.dialects.opening import Opening
from capacity.workload.reception import IGNORED, Kind, Reception, unmatched
from capacity.workload.subscription import Event, State, advance

LIVE = State.LIVE
Payload = bytes | bytearray | memoryview
_NOT_JSON = orjson.JSONDecodeError
_loads = orjson.loads
_UNKNOWN: Any = object()


class FollowedChannels:
    """State and last number of each channel. What the target sends never raises."""

    __slots__ = ("_dialect", "_numbers", "_opening", "_states", "_waiting", "channels")

    def __init__(self, dialect: CompiledDialect, channels: Sequence[str] = ()) -> None:
        self.channels = channels
        """Wire names that the connection is to follow; those its address names, if it does."""
        self._dialect = dialect
        self._numbers: dict[str, int | None] = {}
        self._states: dict[str, State] = {}
        self._opening = Opening(dialect.steps) if dialect.steps else None
        self._waiting = 0

    @property
    def live(self) -> set[str]:
        """Channels with a confirmed subscription."""
        return {channel for channel, state in self._states.items() if state is State.LIVE}

    @property
    def numbers(self) -> Mapping[str, int | None]:
        """Return the last number of each numbering."""
        return self._numbers

    def glance(self, payload: bytes) -> float | None:  # noqa: C901, PLR0911, PLR0912 - the hot path
        """Take note of one update that nothing is missing before, and return when it was published.

        None is no verdict, and nothing was noted: give the message to `receive`. It is parsed all
        the same: nothing is read here that `receive` would read otherwise.
        """
        dialect = self._dialect
        clock = dialect.glance_clock
        if clock is None or payload in dialect.texts:
            return None
        try:
            frame = _loads(payload)
        except _NOT_JSON:
            return None
        kind = type(frame)
        if kind is not dict and kind is not list:
            return None
        for rule in dialect.updates:
            if rule.fits(frame):
                break
        else:
            return None
        if rule.key is None:
            if (
                self._waiting
                or not self.channels
                or (self._opening is not None and self._opening.is_due)
            ):
                return None
            channel = self.channels[0]
        else:
            channel = rule.key(frame)
            if type(channel) is not str or self._states.get(channel) is not LIVE:
                return None
        item = frame if rule.items is None else rule.items(frame)
        if item is MISSING or type(item) is list:
            return None
        published_at_s = clock(frame, item)
        if published_at_s is None:
            return None
        numbering = dialect.rules.get(channel, _UNKNOWN)
        if numbering is _UNKNOWN or not (dialect.has_names or len(self.channels) < 2):
            numbering = self._rule(channel)
        if numbering is None:
            dialect.glances.unnumbered += 1
            return published_at_s
        numbered = numbering.numbered
        number, missed, problem = numbering.check(frame, item, self._numbers.get(numbered))
        if missed != 0 or problem is not None:
            return None
        self._numbers[numbered] = number
        return published_at_s

    def _update(self, rule: Updates, frame: Any, payload: Payload) -> Reception:
        if rule.key is None:
            channel = self.channels[0] if self.channels else None
            if self._waiting:
                self._confirm_by_update(self.channels)
        else:
            channel = rule.key(frame)
            if type(channel) is not str:
                return unmatched("an update without its channel", payload)
            state = self._states.get(channel)
            if state is not State.LIVE:
                if state is State.ENDED:
                    return IGNORED
                if state is None or state is State.REJECTED:
                    return unmatched("an update of a channel not subscribed to", payload)
                self._confirm_by_update((channel,))
        update = frame if rule.items is None else rule.items(frame)
        if update is MISSING:
            return unmatched("an update without its content", payload)
        return self._delivered(frame, update, channel)

    def _delivered(self, frame: Any, update: Any, channel: str | None) -> Reception:
        """Read the time of an update, or of each in a list of them, and check its number."""
        rule = self._rule(channel)
        clock = self._dialect.clock
        published_at_s: float | None = None
        missed = checked = 0
        problem: str | None = None
        items = update if type(update) is list else (update,)
        for item in items:
            if clock is not None:
                published_at_s = clock(frame, item)
            if rule is not None:
                last = self._numbers.get(rule.numbered)
                number, more, trouble = rule.check(frame, item, last)
                self._numbers[rule.numbered] = number
                if more is not None:
                    checked += 1
                    missed += more
                problem = problem or trouble
        return Reception(
            Kind.DATA, channel, published_at_s, missed, (), problem, len(items), checked
        )

    def _rule(self, channel: str | None) -> Rule | None:
        """Return the numbering to check.

        There is none where each channel has its own but updates do not name their channel.
        """
        if channel is None:
            return None
        rule = self._dialect.rule_of(channel)
        if rule is None or self._dialect.has_names or len(self.channels) < 2:
            return rule
        return rule if rule.source.scope == "connection" else None

    def _confirm_by_update(self, channels: Iterable[str]) -> None:
        if self._dialect.confirm == "first_data":
            requested = [c for c in channels if self._states.get(c) is State.REQUESTED]
            self._advance(requested, Event.CONFIRMED)

    def _advance(self, channels: Iterable[str], event: Event) -> None:
        """Advance all *channels*, or none of them if it is illegal for one."""
        states = self._states
        after = {c: advance(states.get(c, State.IDLE), event) for c in channels}
        for channel, state in after.items():
            self._waiting += _waits(state) - _waits(states.get(channel, State.IDLE))
            states[channel] = state


def _waits(state: State) -> bool:
    return state is State.REQUESTED or state is State.LEAVING
