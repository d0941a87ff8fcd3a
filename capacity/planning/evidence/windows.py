"""
From samples to windows: the means over a few seconds of plateau that the fits are made of.

A window takes the samples whose time, brought to the recorder's clock, lies on the plateau of a
step that is not void, less the warm-up (models/warm_up.py). Its load is the step's measured load.
Samples without the target are left out, and so is a step whose plateau saw the target restart. A
restarted target is another process with another baseline, so only the windows of one of its lives
are used together: of the one with most connection levels.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median, stdev

from capacity.domain.load import LoadStep, LoadVector
from capacity.domain.observation import StepObservation
from capacity.domain.resource_facts import FLOWS
from capacity.domain.resources import Resource
from capacity.domain.run import ClockOffset, RunRecord
from capacity.domain.sample import Sample
from capacity.models.warm_up import warm_up_batches
from capacity.planning.evidence.memory_marks import burst_above
from capacity.planning.evidence.plausible import UNREAD, is_plausible, is_plausible_load
from capacity.planning.evidence.rises import FEWEST_COUNTS, rise_of

WINDOW_S = 4.0
"""Aimed at; plateaus are cut evenly, so windows last 3 to 5 s and short plateaus are one window."""

DESCRIPTOR_LIMIT = "fullest_process_descriptors_limit"
FILLING_PROCESSES, FILLING_DESCRIPTORS = "filling_processes", "filling_descriptors"
"""The gauges that go with the use of descriptors."""

HELD_LONGER_RATIO = 2.0
RESTART_TOLERANCE_S = 0.5
"""Start times nearer than this are one start, read twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A few seconds of a plateau: what was carried, and what was used meanwhile."""

    step: int
    asked_connections: int
    is_churned: bool
    """The step asked for connections to be closed and opened again."""
    target_started_at: float
    load: LoadVector
    mean: Mapping[Resource, float]
    error: Mapping[Resource, float]
    """Standard error of the mean, from the scatter of the window's samples; 0 for one sample."""
    peak: Mapping[Resource, float]
    """Largest sample of the window."""
    burst_bytes: float | None
    """How far the high-water mark of memory is above its use; None where the mark did not rise
    within the step, as then it is another step's."""
    processes: int
    """That share the connections, as the agent sees their descriptors fill up; 1 where unknown."""
    shared_descriptors: float | None
    """Of all these processes together, where as many filled up all the time."""
    descriptor_limit: float | None
    """Of the process whose descriptors were read, which may be another one in each window."""
    is_held_longer: bool = False
    """The load had been there before, and was held on until memory settled (safety/hold.py)."""
    tracked_per_s: float = 0.0
    """By which the connection-tracking table filled on the step's plateau; 0 where not steadily."""
    resident_bytes: float | None = None
    """Of the target's processes, in the middle; None where unread."""


def is_usable(step: StepObservation) -> bool:
    """Tell whether the step has a plateau that may be used."""
    return (
        step.void is None
        and step.cut_off is None
        and step.load is not None
        and is_plausible_load(step.load)
        and plateau_of(step) is not None
    )


def plateau_of(step: StepObservation) -> tuple[float, float] | None:
    """Return start and end of the plateau on the recorder's clock, if there was one."""
    begin, end = step.plateau_started_at, step.plateau_ended_at
    if begin is None or end is None or not is_plausible(begin) or not is_plausible(end):
        return None
    return (begin, end) if begin <= end else None


def samples_on_plateaus(
    record: RunRecord, windows: Sequence[Window]
) -> list[tuple[StepObservation, list[Sample]]]:
    """Return the steps that have *windows*, each with the samples of its plateau in order of time."""
    used, offset_s = {window.step for window in windows}, offset_of(record.manifest.clock_offset)
    placed = sorted((s for s in record.samples if is_plausible(s.at)), key=lambda sample: sample.at)
    return [
        (step, [sample for sample in placed if begin <= sample.at - offset_s <= end])
        for step in record.steps
        if step.index in used and (plateau := plateau_of(step)) is not None
        for begin, end in (plateau,)
    ]


def offset_of(clock: ClockOffset | None) -> float:
    """Return the agent's clock minus the recorder's; 0 where nobody knows."""
    return clock.offset_s if clock is not None and is_plausible(abs(clock.offset_s)) else 0.0


def restarts(samples: Sequence[Sample]) -> int:
    """Return how often the target's start time changed."""
    starts = [start for sample in samples if (start := _start_of(sample)) is not None]
    return sum(abs(after - before) > RESTART_TOLERANCE_S for before, after in pairwise(starts))


def plateau_windows(
    steps: Sequence[StepObservation], samples: Sequence[Sample], clock_offset_s: float
) -> list[Window]:
    """Return the windows of all usable steps, in an order that only their loads decide."""
    placed = [sample for sample in samples if is_plausible(sample.at)]
    in_time = sorted(placed, key=lambda sample: sample.at)
    times = [sample.at - clock_offset_s for sample in in_time]
    windows: list[Window] = []
    longer = held_longer(steps)
    for step in sorted(filter(is_usable, steps), key=_by_load):
        plateau = plateau_of(step)
        assert plateau is not None
        begin, end = plateau
        inside = in_time[bisect_left(times, begin) : bisect_right(times, end)]
        cut = _cut(step, inside, begin + clock_offset_s, end + clock_offset_s)
        # With the ramp, and the sample before it.
        since = max(bisect_left(times, step.started_at) - 1, 0)
        burst_bytes = burst_above(inside, in_time[since : bisect_right(times, end)])
        filled = rise_of(inside, Resource.CONNTRACK, FEWEST_COUNTS)
        tracked_per_s = max(0.0, filled.per_s) if filled and filled.is_steady else 0.0
        windows += [
            replace(
                window,
                burst_bytes=burst_bytes,
                is_held_longer=step.index in longer,
                tracked_per_s=tracked_per_s,
            )
            for window in cut
        ]
    return windows


def held_longer(steps: Sequence[StepObservation]) -> set[int]:
    """Return the steps that hold the load of an earlier usable one for at least twice as long."""
    shortest_s: dict[LoadStep, float] = {}
    found = set()
    for step in filter(is_usable, steps):
        asked = step.step
        load = replace(asked, connects_per_s=0.0, ramp_timeout_s=0.0, settle_s=0.0, plateau_s=0.0)
        if asked.plateau_s >= HELD_LONGER_RATIO * shortest_s.get(load, math.inf):
            found.add(step.index)
        shortest_s[load] = min(asked.plateau_s, shortest_s.get(load, math.inf))
    return found


def windows_of_one_life(windows: Sequence[Window]) -> list[Window]:
    """Return the windows of that life of the target which saw most levels of connections."""
    lives: list[list[Window]] = []
    for window in sorted(windows, key=lambda window: window.target_started_at):
        if lives and _is_same_life(lives[-1][-1], window):
            lives[-1].append(window)
        else:
            lives.append([window])
    if not lives:
        return []
    best = max(lives, key=lambda life: (levels(life), max(w.asked_connections for w in life)))
    kept = set(map(id, best))
    return [window for window in windows if id(window) in kept]


def levels(windows: Sequence[Window]) -> int:
    """Return how many different connection counts were asked for."""
    return len({window.asked_connections for window in windows})


def _is_same_life(one: Window, other: Window) -> bool:
    return abs(one.target_started_at - other.target_started_at) <= RESTART_TOLERANCE_S


def _start_of(sample: Sample) -> float | None:
    start = sample.target_started_at
    return start if start is not None and is_plausible(start) else None


def _by_load(step: StepObservation) -> tuple[float, ...]:
    load = step.load
    assert load is not None
    return load.connections, load.deliveries_per_s, load.requests_per_s, step.index


def _cut(step: StepObservation, inside: list[Sample], begin: float, end: float) -> list[Window]:
    present = [sample for sample in inside if _start_of(sample) is not None]
    if restarts(present):
        return []
    count = max(1, round((end - begin) / WINDOW_S))
    width_s = max((end - begin) / count, 1e-9)
    parts: defaultdict[int, list[Sample]] = defaultdict(list)
    for sample in present:
        parts[min(int((sample.at - begin) / width_s), count - 1)].append(sample)
    return _settled([_window(step, parts[part]) for part in sorted(parts)])


def _settled(windows: list[Window]) -> list[Window]:
    """Return the windows without those in which the target was still warming up."""
    flow = next((name for name in sorted(FLOWS) if all(name in w.mean for w in windows)), None)
    return windows if flow is None else windows[warm_up_batches([w.mean[flow] for w in windows]) :]


def _window(step: StepObservation, samples: list[Sample]) -> Window:
    started_at = samples[0].target_started_at
    assert step.load is not None
    assert started_at is not None
    readings: defaultdict[Resource, list[float]] = defaultdict(list)
    for sample in samples:
        for resource, used in sample.used.items():
            if is_plausible(used):
                readings[resource].append(used)
    sharing = [round(count) for count in _gauges(samples, FILLING_PROCESSES)]
    shared = _gauges(samples, FILLING_DESCRIPTORS)
    resident = _gauges(samples, "resident_bytes")
    return Window(
        step=step.index,
        asked_connections=step.step.connections,
        is_churned=step.step.churn_per_s > 0.0,
        target_started_at=started_at,
        load=step.load,
        mean={resource: sum(used) / len(used) for resource, used in readings.items()},
        error=_Errors(dict(readings)),
        peak={resource: max(used) for resource, used in readings.items()},
        burst_bytes=None,
        processes=max(sharing, default=1),
        shared_descriptors=sum(shared) / len(shared) if len(set(sharing)) == 1 and shared else None,
        descriptor_limit=min(_gauges(samples, DESCRIPTOR_LIMIT), default=None),
        resident_bytes=median(resident) if resident else None,
    )


class _Errors(Mapping[Resource, float]):
    """The standard error of each mean, worked out when it is asked for: few are, and each takes long."""

    def __init__(self, readings: Mapping[Resource, Sequence[float]]) -> None:
        self._readings = readings
        self._known: dict[Resource, float] = {}

    def __getitem__(self, resource: Resource) -> float:
        if resource not in self._known:
            self._known[resource] = _error_of_mean(self._readings[resource])
        return self._known[resource]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._readings)

    def __len__(self) -> int:
        return len(self._readings)


def _error_of_mean(values: Sequence[float]) -> float:
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def _gauges(samples: Sequence[Sample], name: str) -> list[float]:
    values = (sample.gauges.get(name, UNREAD) for sample in samples)
    return [value for value in values if is_plausible(value)]
