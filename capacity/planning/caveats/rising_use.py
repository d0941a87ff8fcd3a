"""
What still rises while connections stay: memory by buffers that fill, compressors or a leak, ports and
tracked connections by what closed requests leave behind for a minute or two.

A cost per connection read on the way up to there is too low, and no line through more levels shows
it. What the run held a load longer for is in the cost (costs/settled_memory.py): of several plateaus
with the same load the last one counts.
"""

from collections.abc import Iterator, Sequence

from capacity.domain import units
from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.observation import StepObservation
from capacity.domain.plan import Wall
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.sample import Sample
from capacity.domain.words import RESOURCES
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.rises import (
    FEWEST_COUNTS,
    FEWEST_SAMPLES,
    Rise,
    resident_per_s,
    rise_of,
)
from capacity.planning.evidence.windows import Window, samples_on_plateaus

LINGERING = frozenset({Resource.OUTGOING_PORTS, Resource.CONNTRACK})
"""Taken for a while after a connection was closed."""
_FILLS = (
    "Raise settle_s and plateau_s in the profile until memory levels off, as it does once"
    " buffers are full. If it never does, the target leaks."
)
_LINGERS = (
    "Raise plateau_s in the profile beyond the time that a closed connection keeps it (60 s of a port,"
    " nf_conntrack_tcp_timeout_time_wait of a tracked one), or have the proxy keep its upstream"
    " connections open."
)
SAME_LOAD_RATIO = 0.95
"""Of the deliveries: two plateaus of one load differ by chance."""
FEWEST_LEVELS = 3
"""On which it has to rise before no number of connections is held."""
STEADY_RATIO = 0.5
"""Of the rise for a connection, that it has to have kept at the end of the run."""
OWN_RATIO = 0.5
"""Of a rise in the target's cgroup, or on its host, below which it is not said to be the target's: chosen."""
_OF_OTHERS = {
    Resource.MEMORY: "Find what grows in the cgroup (its cgroup.procs lists the processes), and bound it or move"
    " it out; then measure again.",
    Resource.HOST_MEMORY: "Find what grows on the target's host (ps -e --sort=-rss lists the processes), and bound"
    " it or measure while it rests.",
}
HELD_S = 600.0
"""Connections whose limit is reached sooner are not held: chosen."""


def rising_doubts(record: RunRecord, windows: Sequence[Window], wall: Wall) -> Iterator[Doubt]:
    """Doubt *wall* if its use rose on the plateau with most connections and deliveries."""
    if wall.limit.value is None:
        return
    read = samples_on_plateaus(record, windows)
    most = _carried(max((step for step, _ in read), key=_carried))
    top, samples = [each for each in read if _is_as_loaded(_carried(each[0]), most)][-1]
    lingers = wall.resource in LINGERING
    fewest = FEWEST_COUNTS if lingers else FEWEST_SAMPLES
    rise = rise_of(samples, wall.resource, fewest)
    if rise is None or not rise.is_material(wall.used_at_baseline):
        return
    taken = rise.middle - wall.used_at_baseline
    until_full_s = max(0.0, wall.limit.value - rise.last) / rise.per_s
    others = _by_others(samples, rise, wall)
    fills = _OF_OTHERS[wall.resource] if others else _FILLS
    yield Doubt(
        kind=DoubtKind.RISING,
        statement=(
            f"At a constant {units.counted(top.step.connections, 'connection')},"
            f" {RESOURCES[wall.resource]} still rose by"
            f" {units.amount(rise.per_s * rise.lasted_s, wall.resource)} in"
            f" {units.duration(rise.lasted_s)}"
            f" ({units.share(rise.per_s * rise.lasted_s / taken)} of what the connections use). At that rate"
            f" the limit is reached after {units.duration(until_full_s)}, and the ceiling is too high."
            f"{others}"
        ),
        remedy=_LINGERS if lingers else fills,
    )


def not_held(record: RunRecord, windows: Sequence[Window], wall: Wall) -> Gap | None:
    """Return why no number of connections is held: what *wall* is about rises with time, not with them.

    On every level, and on the last plateau of the run no slower for a connection than where there were
    most of them: buffers that fill would have levelled off by then.
    """
    if wall.limit.value is None or wall.resource in LINGERING:
        return None  # What lingers is gone after a minute or two.
    loaded = [read for read in samples_on_plateaus(record, windows) if read[0].step.connections]
    rises = [(step, rise_of(samples, wall.resource)) for step, samples in loaded]
    known = [(step, rise) for step, rise in rises if rise is not None]
    if len({step.step.connections for step, _ in known}) < FEWEST_LEVELS:
        return None
    if not all(rise.is_steady and rise.per_s > 0.0 for _, rise in known):
        return None
    top, highest = max(known, key=lambda each: _carried(each[0]))
    last, latest = known[-1]
    each_per_s = [
        rise.per_s / step.step.connections for step, rise in ((top, highest), (last, latest))
    ]
    until_full_s = max(0.0, wall.limit.value - highest.last) / highest.per_s
    if last is top or each_per_s[1] < STEADY_RATIO * each_per_s[0] or until_full_s > HELD_S:
        return None
    name = RESOURCES[wall.resource]
    others = _by_others(next(samples for step, samples in loaded if step is top), highest, wall)
    return Gap(
        f"On every level {name} rose while the connections stayed constant, and did not level off: at"
        f" {units.counted(top.step.connections, 'connection')} by"
        f" {units.amount(highest.per_s, wall.resource)} a second, which reaches the limit of"
        f" {units.amount(wall.limit.value, wall.resource)} after {units.duration(until_full_s)}. No"
        f" number of connections is held for long.{others}",
        (
            _OF_OTHERS[wall.resource]
            if others
            else "Find what queues up or leaks in the target, such as events that wait for a source that"
            " does not answer, and bound it; then measure again."
        ),
    )


def _by_others(samples: Sequence[Sample], rise: Rise, wall: Wall) -> str:
    """Return a sentence where most of what rises in the target's cgroup, or on its host, is not its processes' own."""
    own_per_s = resident_per_s(samples)
    is_of_cgroup = wall.resource is Resource.MEMORY and wall.limit.scope == "cgroup"
    is_shared = is_of_cgroup or wall.resource is Resource.HOST_MEMORY
    if not is_shared or own_per_s is None or own_per_s >= OWN_RATIO * rise.per_s:
        return ""
    place = "in its cgroup" if is_of_cgroup else "on its host"
    return (
        f" The target's own processes account for {units.share(max(0.0, own_per_s) / rise.per_s)} of it;"
        f" the rest is other processes, files or kernel buffers {place}."
    )


def _carried(step: StepObservation) -> tuple[float, float]:
    assert step.load is not None
    return step.step.connections, step.load.deliveries_per_s


def _is_as_loaded(carried: tuple[float, float], most: tuple[float, float]) -> bool:
    """Tell whether a step carried the connections and, but for chance, the deliveries of another."""
    return carried[0] == most[0] and carried[1] >= SAME_LOAD_RATIO * most[1]
