"""What an arrival costs and what a mass reconnect does, as a section."""

from capacity.domain import units
from capacity.domain.sizing import Advice, ArrivalCost, Storm, StormCase, Unanswered
from capacity.domain.words import RESOURCES
from capacity.reporting.document import Cell, Row, Section, Table
from capacity.reporting.sizing import unanswered

_ANCHOR = "storm"
_HEADING = "When everybody reconnects"
_COLUMNS = (
    "After",
    "Instances up",
    "Come back, each instance",
    "Served beside the load",
    "Narrowest window",
    "Rate in it, each instance",
    "Accept queue",
    "Recovers by itself",
)


def storm_section(advice: Advice) -> Section:
    cost = advice.arrival_cost
    if isinstance(cost, Unanswered):
        return unanswered(_ANCHOR, _HEADING, cost)
    storm = advice.storm
    if isinstance(storm, Unanswered):
        return Section(
            anchor=_ANCHOR,
            heading=_HEADING,
            paragraphs=(*_cost(cost), storm.reason, storm.remedy),
        )
    if storm is None:
        asked = "Give a demand (--demand) to learn how wide the reconnect window must be."
        return Section(anchor=_ANCHOR, heading=_HEADING, paragraphs=(*_cost(cost), asked))
    return Section(
        anchor=_ANCHOR,
        heading=_HEADING,
        paragraphs=(
            *_cost(cost),
            (
                f"{units.counted(storm.instances, 'instance')}, {storm.host}; clients retry by the"
                f" policy {storm.retry}."
            ),
            *_wanted(storm),
            *(_warning(storm, case) for case in storm.cases if case.is_metastable),
            *_beyond_test(storm, cost),
        ),
        table=Table(
            columns=_COLUMNS,
            rows=tuple(_row(case, cost) for case in storm.cases),
            numeric=frozenset({1, 2, 3, 4, 5}),
        ),
    )


def _cost(cost: ArrivalCost) -> tuple[str, ...]:
    taken = "; ".join(
        f"{RESOURCES[resource]} {units.duration(estimate.mid)}"
        f" ({units.duration(estimate.low)} to {units.duration(estimate.high)})"
        for resource, estimate in cost.cpu_s.items()
    )
    return (
        (
            f"An arrival, its subscription included, takes CPU time beyond the line of the plateaus:"
            f" {taken}, from {units.counted(cost.arrivals, 'arrival')} in"
            f" {units.counted(cost.ramps, 'ramp')}. An upper bound, as all that a ramp causes counts;"
            " with arrivals: together in the profile they cost as in a storm. Planned with the upper"
            " end."
        ),
    )


def _wanted(storm: Storm) -> tuple[str, ...]:
    if storm.window_s is None:
        return ()
    asked = f"The clients spread over {units.duration(storm.window_s)}."
    if storm.cases[0].event.startswith("restart"):
        return (asked,)
    if storm.instances_for_window is None:
        return (f"{asked} No number of instances takes the loss in that time.",)
    more = storm.instances_for_window - storm.instances
    enough = "the instances sized are enough" if more <= 0 else f"{more} more than sized"
    return (f"{asked} That takes {units.count(storm.instances_for_window)} instances: {enough}.",)


def _warning(storm: Storm, case: StormCase) -> str:
    return (
        f"After {case.event} the target does not recover by itself: with the policy {storm.retry}"
        " clients give up before they are served, and their retries are as many as can be served."
        " Let clients wait longer with jitter, or admit handshakes at a limited rate."
    )


def _beyond_test(storm: Storm, cost: ArrivalCost) -> tuple[str, ...]:
    fastest = max((case.arrivals_per_s or 0.0 for case in storm.cases), default=0.0)
    if fastest <= cost.tested_per_s:
        return ()
    return (
        (
            f"The run tested {units.rate(cost.tested_per_s, 'arrivals')}; up to"
            f" {units.rate(fastest, 'arrivals')} an instance are extrapolated from their CPU time."
        ),
    )


def _admission(cost: ArrivalCost) -> str:
    met, declared = cost.admission_per_s, cost.admitted_per_s
    if met is None or (declared is not None and declared <= met.low):
        return "as admitted: arrival_limit in the target file"
    return (
        f"the ramps met a limit of admission at {units.rate(met.mid, 'arrivals')}"
        f" ({units.rate(met.low, 'arrivals')} to {units.rate(met.high, 'arrivals')}), with processor"
        " time to spare"
    )


def _row(case: StormCase, cost: ArrivalCost) -> Row:
    window_s, rate = case.shortest_window_s, case.arrivals_per_s
    queue = "" if cost.backlog is None else f"holds {units.count(cost.backlog)}"
    return (
        Cell(text=case.event),
        Cell(text=units.count(case.instances_up)),
        Cell(
            text=units.about(case.arrivals),
            note=f"{units.about(case.connections_after)} connections afterwards",
        ),
        Cell(
            text=units.rate(case.served_per_s, "arrivals"),
            note=_admission(cost)
            if case.busiest is None
            else f"{RESOURCES[case.busiest]} is busiest",
        ),
        Cell(text="none is wide enough" if window_s is None else units.duration(window_s)),
        Cell(text="" if rate is None else units.rate(rate, "arrivals")),
        Cell(
            text="not read"
            if case.overflows is None
            else "overflows if all come at once"
            if case.overflows
            else "holds them all",
            note=queue,
        ),
        Cell(text="no" if case.is_metastable else "yes"),
    )
