"""Where the answers to a reconnect storm come from: ramps, cost of a connect, rates, windows."""

from capacity.domain import units
from capacity.domain.answers.sizing import (
    ArrivalCost,
    Demand,
    HostWall,
    SizedHost,
    Storm,
    StormCase,
)
from capacity.domain.estimates import Estimate
from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.models.operations.reconnect_storm import BUSY_RATIO
from capacity.planning.advice.other_hosts import cautious_use_at
from capacity.planning.advice.reconnect_storm import spread_and_wait_s, window_with_s
from capacity.planning.costs.ramps import excesses_s
from capacity.reporting.document import Section, Table, cells

_DIGITS = 5
_UNBOUND = "nothing is served beside the load"


def arrival_proof(record: RunRecord, plan: CapacityPlan, cost: ArrivalCost) -> tuple[Section, ...]:
    """Return the ramps that were read, and the cost of a connect that follows from them."""
    if not cost.cpu_s:
        return ()
    lines = {wall.resource: wall.cost for wall in plan.ladder}
    above: dict[int, dict[Resource, float]] = {}
    opened: dict[int, tuple[int, int]] = {}
    for resource in cost.cpu_s:
        for ramp, taken_s in excesses_s(record, lines[resource]):
            above.setdefault(ramp.step.index, {})[resource] = taken_s
            opened[ramp.step.index] = (ramp.opened, ramp.subscribed)
    rows = tuple(
        cells(
            units.step_number(index),
            *map(units.count, opened[index]),
            *(units.milliseconds(taken[each]) if each in taken else "" for each in cost.cpu_s),
        )
        for index, taken in sorted(above.items())
    )
    columns = ("Step", "Opened", "Subscribed", *(f"{RESOURCES[one]}, ms" for one in cost.cpu_s))
    said = (
        "CPU time of a ramp above the fitted line = opened × a + subscribed × b; a connect takes"
        " a + b, with its interval from resampled ramps"
    )
    return (
        Section(
            anchor="ramps",
            heading="Ramps",
            paragraphs=(said, *(_connect(of, each) for of, each in cost.cpu_s.items())),
            table=Table(columns=columns, rows=rows, numeric=frozenset(range(len(columns)))),
        ),
    )


def _connect(resource: Resource, taken_s: Estimate) -> str:
    return (
        f"{RESOURCES[resource]}: a + b = {units.duration(taken_s.mid)}"
        f" ({units.duration(taken_s.low)} to {units.duration(taken_s.high)})"
    )


def storm_proof(
    storm: Storm, host: SizedHost, connections: float, cost: ArrivalCost, demand: Demand
) -> tuple[Section, ...]:
    """Return the arithmetic of each case; *connections* is the upper end of the demand."""
    found = [
        Section(
            anchor=f"storm-{index}",
            heading=f"After {case.event}",
            paragraphs=(
                _arrivals(case, storm, connections),
                *_rates(case, host.walls, cost),
                _window(case),
                _queue(case, cost),
                _recovery(case, demand),
            ),
        )
        for index, case in enumerate(storm.cases)
    ]
    wanted = _for_window(storm, host, connections, cost, demand)
    if wanted:
        paragraphs = (wanted,)
        found.append(Section(anchor="storm-window", heading="Window", paragraphs=paragraphs))
    return tuple(found)


def _arrivals(case: StormCase, storm: Storm, connections: float) -> str:
    total, after = units.count(connections), units.count(case.instances_up)
    lost = f" − {total} / {units.count(storm.instances)}"
    is_loss = case.instances_up < storm.instances
    return (
        f"reconnects: {total} / {after}{lost if is_loss else ''} ="
        f" {units.number(case.arrivals, _DIGITS)} per instance"
    )


def _rates(case: StormCase, walls: tuple[HostWall, ...], cost: ArrivalCost) -> tuple[str, ...]:
    """Return what each resource would serve beside the load, and the lowest of it."""
    lines = [
        _rate(wall, case, cost.cpu_s[wall.resource].high)
        for wall in walls
        if wall.resource in cost.cpu_s and cost.cpu_s[wall.resource].high > 0.0
    ]
    if cost.admitted_per_s is not None:
        lines.append(f"declared arrival_limit: {units.rate(cost.admitted_per_s, 'connects')}")
    if cost.admission_per_s is not None:
        low = units.rate(cost.admission_per_s.low, "connects")
        lines.append(f"admission as the ramps met it, lower end: {low}")
    return (*lines, f"served: the lowest, {units.number(case.served_per_s, _DIGITS)} connects/s")


def _rate(wall: HostWall, case: StormCase, taken_s: float) -> str:
    resource: Resource = wall.resource
    use = cautious_use_at(wall, case.connections_after)
    rate = max(0.0, wall.limit - use) / taken_s
    return (
        f"{RESOURCES[resource]}: ({units.number(wall.limit, _DIGITS)} −"
        f" {units.number(use, _DIGITS)} cores) / {units.number(taken_s * 1e3, _DIGITS)} ms ="
        f" {units.number(rate, _DIGITS)} connects/s; use at {units.count(case.connections_after)}"
        " connections and cost of a connect at their upper ends"
    )


def _window(case: StormCase) -> str:
    if case.shortest_window_s is None:
        return f"window: {_UNBOUND}; none is long enough"
    return (
        f"window: {units.number(case.arrivals, _DIGITS)} / ({BUSY_RATIO:g} ×"
        f" {units.number(case.served_per_s, _DIGITS)}) ="
        f" {units.number(case.shortest_window_s, _DIGITS)} s"
    )


def _queue(case: StormCase, cost: ArrivalCost) -> str:
    if cost.backlog is None:
        return "accept queue: its limit was not read"
    sign = ">" if case.overflows else "≤"
    said = "overflows if all connect at once" if case.overflows else "holds all"
    return (
        f"accept queue: {units.number(case.arrivals, _DIGITS)} {sign} {units.count(cost.backlog)}:"
        f" {said}"
    )


def _recovery(case: StormCase, demand: Demand) -> str:
    served, timeout_s = case.served_per_s, demand.handshake_timeout_s
    if served <= 0.0:
        return f"recovers unaided: no, {_UNBOUND}"
    spread_s, wait_s = spread_and_wait_s(demand)
    queued = max(0.0, case.arrivals - served * spread_s)
    waiting = (
        f"{units.count(queued)} waiting of {units.count(case.arrivals)} after {units.number(spread_s)} s"
        f" at {units.number(served, _DIGITS)} a second"
    )
    if queued <= served * timeout_s:
        return (
            f"recovers unaided: yes, {waiting} ≤ {units.count(served * timeout_s)} served within the"
            f" time-out of {units.number(timeout_s)} s"
        )
    late_s = served * timeout_s * spread_s / queued
    bound = served * (late_s + 2.0 * timeout_s + wait_s)
    verdict, sign = ("no", "≥") if case.is_metastable else ("yes", "<")
    return (
        f"recovers unaided: {verdict}, {waiting}; {units.count(case.arrivals)} {sign}"
        f" {units.number(served, _DIGITS)} × ({units.number(late_s)} + 2 × {units.number(timeout_s)}"
        f" + {units.number(wait_s)} s) = {units.count(bound)}"
    )


def _for_window(
    storm: Storm, host: SizedHost, connections: float, cost: ArrivalCost, demand: Demand
) -> str:
    enough = storm.instances_for_window
    if storm.window_s is None or enough is None:
        return ""
    said = f"asked: {units.number(storm.window_s)} s."
    tried = [enough] if enough == storm.instances else [enough - demand.zones, enough]
    for instances in tried:
        needed_s = window_with_s(instances, host, cost, demand, connections)
        needs = "no window suffices" if needed_s is None else f"{units.number(needed_s, _DIGITS)} s"
        said += f" {units.counted(instances, 'instance')}: {needs}."
    return said
