"""Takes note of what one connection hears, so that it can be judged whether the dialect fits."""

import time
from collections.abc import Sequence
from typing import Any

import orjson

from capacity.domain.words import printable
from capacity.planning.safety.heard_updates import Heard, Update
from capacity.workload.dialects.compiled import CompiledDialect
from capacity.workload.dialects.encodings.payload import hint_for
from capacity.workload.dialects.matching import MISSING, as_number, item_getter
from capacity.workload.dialects.moment import PER_S, Time, clock_by
from capacity.workload.reception import Kind, Reception, shown

NEAR_S = 86_400.0
"""A unit fits by which an update was published this near to now."""
_SHOWN_LETTERS = 120


class HeardFrames:
    """The frames of one conversation, summed up."""

    def __init__(self, dialect: CompiledDialect, channels: Sequence[str]) -> None:
        self._dialect = dialect
        self._channels = channels
        self._frames = self._unmatched = self._updates = self._timed = self._numbered = 0
        self._first: str | None = None
        self._hint: str | None = None
        self._sequence: str | None = None
        self._is_checksum = False
        self._mismatched = self._missed = self._gaps = 0
        self._latest: dict[str, Update] = {}

    @property
    def is_puzzled(self) -> bool:
        """Tell whether frames came and none was an update."""
        return self._unmatched > 0 and not self._updates

    def note(self, payload: bytes, reception: Reception) -> None:
        """Take note of one frame and of what the conversation made of it."""
        self._frames += 1
        missed = reception.missed - reception.mismatched
        self._missed += missed
        self._gaps += missed > 0  # Heartbeats may be numbered, too.
        if reception.kind is Kind.UNMATCHED:
            self._unmatched += 1
            if self._first is None:
                self._first, self._hint = told(reception, payload), hint_for(payload)
        elif reception.kind is Kind.DATA:
            self._note_update(payload, reception)

    def heard(self, seconds: float, ended: tuple[str, str] | None = None) -> Heard:
        """Return it all; *ended* is how the connection ended, if it did, and what to do."""
        source = self._dialect.source
        return Heard(
            seconds=seconds,
            ended=ended,
            frames=self._frames,
            unmatched=self._unmatched,
            first_unmatched=self._first,
            hint=self._hint,
            updates=self._updates,
            timed=self._timed,
            numbered=self._numbered,
            latest=tuple(self._latest.values()),
            silent=tuple(name for name in self._channels if name not in self._latest),
            time=_told(source.times),
            sequence=self._sequence,
            is_checksum=self._is_checksum,
            mismatched=self._mismatched,
            missed=self._missed,
            gaps=self._gaps,
        )

    def _note_update(self, payload: bytes, reception: Reception) -> None:
        self._updates += reception.updates
        channel = reception.channel or ""
        frame, item = self._read(payload, reception.channel)
        rule = self._dialect.rule_of(channel)
        number = None
        if rule is not None and rule.is_numbered:
            number = as_number(item_getter(rule.source.seq or "")(frame, item))
            self._sequence = rule.source.seq
        elif rule is not None and rule.source.book is not None:
            self._sequence, self._is_checksum = rule.source.book.checksum, True
        self._mismatched += reception.mismatched
        times = self._dialect.source.times
        found = (item_getter(time.path)(frame, item) for time in times)
        value = next((each for each in found if each is not MISSING), MISSING)
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


def _told(times: Sequence[Time]) -> tuple[str, str] | None:
    """Return the paths and units of a dialect's times; None where it has none."""
    if not times:
        return None
    paths, units = zip(*((time.path, time.unit) for time in times), strict=True)
    return " or ".join(dict.fromkeys(paths)), " or ".join(dict.fromkeys(units))


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
