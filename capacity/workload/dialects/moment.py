"""When an update was published, read from the update itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from capacity.workload.dialects.answers import VALIDATION
from capacity.workload.dialects.matching import item_getter

PER_S = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
LATEST_S = 1e11
"""Epoch times from here on (the year 5138) are mistakes of unit, and count as absent."""

Clock = Callable[[Any, Any], float | None]
"""(frame, item) -> epoch seconds; None where no usable time stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    __pydantic_config__: ClassVar = VALIDATION
    path: str
    """Path of the time of publication."""
    unit: Literal["s", "ms", "us", "ns", "rfc3339"]
    """How the time is written: epoch time in that unit, or RFC 3339 text."""


def clock_of(times: Sequence[Time]) -> Clock | None:
    """Return the function that reads the first of *times* that there is; None without any."""
    clocks = [clock_by(time) for time in times]
    if len(clocks) < 2:
        return clocks[0] if clocks else None

    def first_of(frame: Any, item: Any) -> float | None:
        for clock in clocks:
            at_s = clock(frame, item)
            if at_s is not None:
                return at_s
        return None

    return first_of


def clock_by(time: Time) -> Clock:
    """Return the function that reads the time of publication; it never raises."""
    value_of = item_getter(time.path)
    if time.unit == "rfc3339":
        return lambda frame, item: _rfc3339_s(value_of(frame, item))
    per_s = PER_S[time.unit]

    def epoch_s(frame: Any, item: Any) -> float | None:
        value = value_of(frame, item)
        if type(value) is not int and type(value) is not float:
            if type(value) is not str:
                return None
            try:
                value = float(value)
            except ValueError:
                return None
        at_s = value / per_s
        return at_s if 0.0 < at_s < LATEST_S else None

    return epoch_s


def _rfc3339_s(value: Any) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
