"""What an arrival costs and what a mass reconnect does, as a section."""

from capacity.domain import units
from capacity.domain.answers.sizing import Advice, ArrivalCost, Storm, StormCase, Unanswered
from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES
from capacity.reporting.advice.sizing import unanswered
from capacity.reporting.document import Cell, Row, Section, Table

_ANCHOR = "storm"
_HEADING = "Reconnect storm (thundering herd)"
_COLUMNS = (
    "After",
    "Instances up",
    "Reconnects per instance",
    "Connect rate served",
    "Shortest reconnect window",
    "Connects/s per instance in it",
    "Accept queue",
    "Recovers unaided",
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
        asked = (
            "Give a demand (--demand) to get the reconnect window that clients must spread over."
        )
        return Section(anchor=_ANCHOR, heading=_HEADING, paragraphs=(*_cost(cost), asked))
    return Section(
        anchor=_ANCHOR,
        heading=_HEADING,
        paragraphs=(
            *_cost(cost),
            (
                f"{units.counted(storm.instances, 'instance')}, host type {storm.host}; client retry"
                f" policy: {storm.retry}."
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
            f"CPU time to connect and subscribe one client, on top of its steady load: {taken}."
            f" Measured on {units.counted(cost.arrivals, 'connect')} in"
            f" {units.counted(cost.ramps, 'ramp')}. This is an upper bound: everything a ramp costs is"
            " counted. The plan uses the upper end of the interval. Set arrivals: together in the"
            " profile to measure connects that come all at once."
        ),
        *_memory(cost),
    )


def _memory(cost: ArrivalCost) -> tuple[str, ...]:
    if cost.memory_bytes is None or cost.memory_held_s is None:
        return ()
    taken = (
        f"While it connects, a client takes {units.amount(cost.memory_bytes.mid, Resource.MEMORY)} of"
        f" memory beyond what its connection keeps, for {units.duration(cost.memory_held_s)}."
    )
    if cost.at_once is None:
        return (taken,)
    room = (
        f" Within that time the memory of one instance has room for"
        f" {units.counted(round(cost.at_once.mid), 'connect')} ({units.count(cost.at_once.low)} to"
        f" {units.count(cost.at_once.high)}), beside no other load; more at once end it."
    )
    return (taken + room,)


def _wanted(storm: Storm) -> tuple[str, ...]:
    if storm.window_s is None:
        return ()
    asked = f"Clients spread their reconnects over {units.duration(storm.window_s)}."
    if storm.cases[0].event.startswith("restart"):
        return (asked,)
    if storm.instances_for_window is None:
        return (f"{asked} No number of instances absorbs the loss in that time.",)
    more = storm.instances_for_window - storm.instances
    enough = "the sized instances are enough" if more <= 0 else f"{more} more than sized"
    return (f"{asked} That needs {units.count(storm.instances_for_window)} instances: {enough}.",)


def _warning(storm: Storm, case: StormCase) -> str:
    return (
        f"After {case.event} the target does not recover unaided: with retry policy {storm.retry},"
        " clients time out before they are served and their retries use up the connect rate."
        " Use longer backoff with jitter, or rate-limit handshakes at the edge."
    )


def _beyond_test(storm: Storm, cost: ArrivalCost) -> tuple[str, ...]:
    fastest = max((case.arrivals_per_s or 0.0 for case in storm.cases), default=0.0)
    if fastest <= cost.tested_per_s:
        return ()
    return (
        (
            f"Tested: {units.rate(cost.tested_per_s, 'connects')}. Rates up to"
            f" {units.rate(fastest, 'connects')} per instance are extrapolated from CPU time."
        ),
    )


def _admission(cost: ArrivalCost) -> str:
    met, declared = cost.admission_per_s, cost.admitted_per_s
    if met is None or (declared is not None and declared <= met.low):
        return "rate limit: arrival_limit in the target file"
    return (
        f"rate limit seen in the ramps: {units.rate(met.mid, 'connects')}"
        f" ({units.rate(met.low, 'connects')} to {units.rate(met.high, 'connects')}), with CPU to spare"
    )


def _row(case: StormCase, cost: ArrivalCost) -> Row:
    window_s, rate = case.shortest_window_s, case.arrivals_per_s
    queue = "" if cost.backlog is None else f"backlog {units.count(cost.backlog)}"
    return (
        Cell(text=case.event),
        Cell(text=units.count(case.instances_up)),
        Cell(
            text=units.about(case.arrivals),
            note=f"then {units.about(case.connections_after)} connections each",
        ),
        Cell(
            text=units.rate(case.served_per_s, "connects"),
            note=_admission(cost)
            if case.busiest is None
            else f"bound by {RESOURCES[case.busiest]}",
        ),
        Cell(text="none is long enough" if window_s is None else units.duration(window_s)),
        Cell(text="" if rate is None else units.rate(rate, "connects")),
        Cell(
            text="not read"
            if case.overflows is None
            else "overflows if all connect at once"
            if case.overflows
            else "holds all",
            note=queue,
        ),
        Cell(text="no" if case.is_metastable else "yes"),
    )
