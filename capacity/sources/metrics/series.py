"""What exporters publish, at one instant: the values of one process and of one host, and rates.

A value that is not there, not a number or too old is an `AbsentError`, which says why.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.outside import is_number
from capacity.monitor.readings import Reading

_MOST_LISTED = 5


class AbsentError(LookupError):
    """A value cannot be had; its text is the reason that goes into a sample's `missing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One value of one metric."""

    name: str
    labels: Mapping[str, str]
    value: float
    at: float
    """When it was read, epoch seconds of the clock that the samples are on."""

    def has(self, labels: Mapping[str, str]) -> bool:
        return labels.items() <= self.labels.items()


class Values:
    """The series of one subject (a process group, a host) at one instant."""

    def __init__(self, series: Iterable[Series], *, oldest_at: float = -math.inf) -> None:
        self._oldest_at = oldest_at
        self._by_name: defaultdict[str, list[Series]] = defaultdict(list)
        for each in series:
            self._by_name[each.name].append(each)

    def all(self, name: str, **labels: str) -> list[Series]:
        """Return the series of that name, perhaps none. Raises AbsentError when one of them is bad."""
        found = [each for each in self._by_name.get(name, ()) if each.has(labels)]
        for each in found:
            if not is_number(each.value):
                raise AbsentError(f"{name} is {each.value}")
            if each.at < self._oldest_at:
                raise AbsentError(f"{name} was {self._oldest_at - each.at:.0f} s too old to use")
        return found

    def one(self, name: str, **labels: str) -> Series:
        """Return the only series of that name. Raises AbsentError."""
        found = self.all(name, **labels)
        if len(found) != 1:
            count = len(found) or "not"
            raise AbsentError(f"{name} is {count} among the metrics")
        return found[0]

    def value(self, name: str, **labels: str) -> float:
        return self.one(name, **labels).value


class Rates:
    """Counters as rates: the growth of each since it was read before, by its own times."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}

    def per_s(self, name: str, series: Iterable[Series]) -> float:
        """Return the growth of the sum of *series* a second. Raises AbsentError."""
        counted = list(series)
        if not counted:
            raise AbsentError(f"{name} is not among the metrics")
        total, at = sum(each.value for each in counted), max(each.at for each in counted)
        before = self._before.get(name)
        self._before[name] = total, at
        if before is None:
            raise AbsentError("first reading: a rate needs two")
        if total < before[0]:
            raise AbsentError(f"{name} started anew")
        if at <= before[1]:
            raise AbsentError(f"{name} was not read again since the sample before")
        return (total - before[0]) / (at - before[1])


Readers = tuple[tuple[tuple[str, ...], Callable[[Values, Rates], Reading]], ...]
"""What one exporter has: names of resources, gauges and counters, and who reads them."""


def read_all(readers: Readers, values: Values, rates: Rates) -> list[Reading]:
    """Return what every reader brings; where one has nothing, its names with the reason."""
    found = []
    for names, read in readers:
        try:
            found.append(read(values, rates))
        except AbsentError as absent:
            found.append(Reading(missing=dict.fromkeys(names, str(absent))))
    return found


def subject(
    series: Iterable[Series], marker: str, wanted: Mapping[str, str], *, key: str, origin: str
) -> Mapping[str, str] | None:
    """Return the labels of the one series of *marker* that has the *wanted* ones; None without one.

    Raises ConfigError when several have, for *key* of the target file to tell them apart.
    """
    found = [each.labels for each in series if each.name == marker and each.has(wanted)]
    if len(found) > 1:
        shown = [
            " ".join(f"{name}={value}" for name, value in labels.items() if name not in wanted)
            for labels in found[:_MOST_LISTED]
        ]
        more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
        raise ConfigError(
            f"{origin}: {len(found)} series of {marker} fit ({' | '.join(shown)}{more});"
            f" name labels of the one that is meant in {key} of the target file"
        )
    return found[0] if found else None


def needed(
    labels: Mapping[str, str] | None, marker: str, key: str, origin: str
) -> Mapping[str, str]:
    """Return *labels*; UnreachableError when the subject was not found."""
    if labels is None:
        raise UnreachableError(
            f"{origin}: no series of {marker} fits; start the exporter, or correct {key} in the"
            " target file"
        )
    return labels
