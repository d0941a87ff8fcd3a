"""Takes note of what one connection hears, so that it can be judged whether the dialect fits."""

import time
from collections.abc import Sequence
from typing import Any

import orjson

from capacity.domain.words import printable
from capacity.planning.safety.heard_updates import Heard, Update
from capacity.workload.dialects.compiled import CompiledDialect
from capacity.workload.dialects.dialect import Time
from capacity.workload.dialects.matching import MISSING, item_getter
from capacity.workload.dialects.moment import PER_S, clock_by
from capacity.workload.dialects.payload import hint_for
from capacity.workload.dialects.sequence import as_number
from capacity.workload.reception import Kind, Reception, shown

NEAR_S = 86_400.0
"""A unit fits by which an update was published this near to now."""
_SHOWN_LETTERS = 120


class Ear:
    """Hears one conversation."""

    def __init__(self, dialect: CompiledDialect, channels: Sequence[str]) -> None:
        self._dialect = dialect
        self._channels = channels
        self._frames = self._unmatched = self._updates = self._timed = self._numbered = 0
        self._first: str | None = None
        self._hint: str | None = None
        self._sequence: str | None = None
        self._latest: dict[str, Update] = {}

    @property
    def is_puzzled(self) -> bool:
        """Tell whether frames came and none was an update."""
        return self._unmatched > 0 and not self._updates

    def note(self, payload: bytes, reception: Reception) -> None:
        """Take note of one frame and of what the conversation made of it."""
        self._frames += 1
        if reception.kind is Kind.UNMATCHED:
            self._unmatched += 1
            if self._first is None:
                self._first, self._hint = told(reception, payload), hint_for(payload)
        elif reception.kind is Kind.DATA:
            self._note_update(payload, reception)

    def heard(self, seconds: float) -> Heard:
        source = self._dialect.source
        return Heard(
            seconds=seconds,
            frames=self._frames,
            unmatched=self._unmatched,
            first_unmatched=self._first,
            hint=self._hint,
            updates=self._updates,
            timed=self._timed,
            numbered=self._numbered,
            latest=tuple(self._latest.values()),
            silent=tuple(name for name in self._channels if name not in self._latest),
            time=(source.time.path, source.time.unit) if source.time else None,
            sequence=self._sequence,
        )

    def _note_update(self, payload: bytes, reception: Reception) -> None:
        self._updates += reception.updates
        channel = reception.channel or ""
        frame, item = self._read(payload, reception.channel)
        rule = self._dialect.rule_of(channel)
        number = None
        if rule is not None:
            number = as_number(item_getter(rule.source.seq or "")(frame, item))
        if rule is not None:
            self._sequence = rule.source.seq
        clock = self._dialect.source.time
        value = MISSING if clock is None else item_getter(clock.path)(frame, item)
        self._timed += reception.updates if reception.published_at_s is not None else 0
        self._numbered += reception.numbered
        self._latest[channel] = Update(
            channel=channel,
            heard_at=time.time(),
            published_at=reception.published_at_s,
            number=number,
            value=None if value is MISSING else printable(repr(value), _SHOWN_LETTERS),
            fitting_unit=fitting_unit(value, time.time()),
        )

    def _read(self, message: bytes, channel: str | None) -> tuple[Any, Any]:
        """Return the last frame in *message* that is about *channel*, and its last item."""
        entries = self._dialect.entries
        try:
            frame = self._dialect.parse(message)
        except orjson.JSONDecodeError:
            return MISSING, MISSING
        for entry in reversed([frame] if entries is None else list(entries(frame))):
            rule = next((rule for rule in self._dialect.updates if rule.fits(entry)), None)
            if rule is not None and (rule.key is None or rule.key(entry) == channel):
                item = entry if rule.items is None else rule.items(entry)
                return entry, item[-1] if type(item) is list and item else item
        return MISSING, MISSING


def fitting_unit(value: Any, now: float) -> str | None:
    """Return the unit by which *value* is a time near *now*; None if there is none."""
    for unit in (*PER_S, "rfc3339"):
        at = clock_by(Time(path="t", unit=unit))({}, {"t": value})  # type: ignore[arg-type]
        if at is not None and abs(at - now) < NEAR_S:
            return unit
    return None


def told(reception: Reception, message: bytes) -> str:
    """Return what is wrong with a message, and how it begins; the latter alone where no rule fits."""
    return (reception.problem or shown(message)).removeprefix("no rule for: ")
