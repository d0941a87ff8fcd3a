"""What a process gained of connections, descriptors and threads while connections were opened to it.

Who accepts connections gains at least one of three things for each: an established connection on one of
its ports, a descriptor, a thread. Of descriptors the fullest of several processes is known: times their
number is the most that all of them gained. What cannot be told from what comes and goes anyway is not
judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from capacity.domain import units
from capacity.domain.resources import Resource
from capacity.domain.sample import Sample
from capacity.domain.words import listed
from capacity.planning.evidence.plausible import is_plausible

LEAST_GAIN_RATIO = 0.5
"""Of the connections opened: who gained less is not who accepted them."""
FEWEST_OPENED = 5
"""Fewer connections are lost in what any process opens and closes by itself."""
LEAST_SHARE = 0.05
"""Of what the process has anyway: fewer connections are lost in its own traffic."""
FEWEST_A_PROCESS = 10
"""Of several processes, fewer connections each leave the fullest as it was."""
RECENT_READINGS = 10
"""Before the load; older ones may be of another load."""

COUNTS = {
    Resource.APPLICATION_CONNECTIONS: "connection",
    Resource.DESCRIPTORS: "descriptor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """What the watched processes gained while connections were opened."""

    opened: float
    gained: Mapping[Resource, float]
    """As it was read: of descriptors, what the fullest process gained."""
    is_seen: bool | None
    """Whether they gained what the connections take; None where that cannot be told."""
    unknown: str | None = None
    """Why it cannot be told."""

    @property
    def statement(self) -> str:
        """Return "0 connections and 1 descriptor while 5 connections were opened"."""
        counts = [
            units.counted(max(0, round(self.gained[resource])), noun)
            for resource, noun in COUNTS.items()
            if resource in self.gained
        ]
        were = "was" if round(self.opened) == 1 else "were"
        return f"{listed(counts)} while {units.counted(self.opened, 'connection')} {were} opened"


def rise(
    before: Sequence[Sample], after: Sequence[Sample], *, opened: float, processes: int
) -> Rise:
    """Return what was gained from the samples without the connections to those with them.

    *processes* is how many share the connections; 0 where nobody knows.
    """
    looks = {
        resource: _look(resource, was, is_now, opened, processes)
        for resource in COUNTS
        if (was := _readings(before, resource)) and (is_now := _readings(after, resource))
    }
    threads = gain(before, after, Resource.THREADS)
    verdicts = {look.is_seen for look in looks.values()}
    if threads is not None and threads >= opened * LEAST_GAIN_RATIO:
        verdicts.add(True)
    is_seen: bool | None = False
    unknown: str | None = None
    if not looks:
        is_seen, unknown = None, "neither its connections nor its descriptors could be read"
    elif True in verdicts:
        is_seen = True
    elif opened < FEWEST_OPENED:
        is_seen, unknown = None, "so few connections cannot be told from normal fluctuation"
    elif None in verdicts:
        is_seen = None
        unknown = "; ".join(look.unknown for look in looks.values() if look.unknown)
    return Rise(
        opened=opened,
        gained={resource: look.gained for resource, look in looks.items()},
        is_seen=is_seen,
        unknown=unknown,
    )


class _Look(NamedTuple):
    """What one kind of count says."""

    gained: float
    is_seen: bool | None
    unknown: str | None = None


def _look(
    resource: Resource,
    was: Sequence[float],
    is_now: Sequence[float],
    opened: float,
    processes: int,
) -> _Look:
    own, swing = median(was), max(was) - min(was)
    gained = median(is_now) - own
    if swing >= opened * LEAST_GAIN_RATIO or opened < own * LEAST_SHARE:
        had = units.counted(own, COUNTS[resource])
        return _Look(
            gained, None, f"it has {had} anyway, of which {units.count(swing)} come and go"
        )
    is_share = resource is Resource.DESCRIPTORS
    if gained * (max(1, processes) if is_share else 1) >= opened * LEAST_GAIN_RATIO:
        return _Look(gained, True)
    if is_share and processes == 0:
        return _Look(gained, None, "how many processes share the connections is not known")
    if is_share and processes > 1 and opened < processes * FEWEST_A_PROCESS:
        return _Look(gained, None, f"{units.count(processes)} processes share few connections")
    return _Look(gained, False)


def _readings(samples: Sequence[Sample], resource: Resource) -> list[float]:
    """Return the newest readings of a resource that can be."""
    values = [sample.used[resource] for sample in samples if resource in sample.used]
    return [value for value in values if is_plausible(value)][-RECENT_READINGS:]


def gain(before: Sequence[Sample], after: Sequence[Sample], resource: Resource) -> float | None:
    """Return how much of a resource came, by the medians; None where it was not read."""
    was, is_now = _readings(before, resource), _readings(after, resource)
    return median(is_now) - median(was) if was and is_now else None
