"""Why a ceiling is what it is: the limit, the readings, the line through them, and the arithmetic."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from capacity.domain import units
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan, UnitCost, Wall
from capacity.domain.resource_facts import COUNTED, ENVELOPED, LATENCIES, UNITS
from capacity.domain.resources import Limit, Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import LOADS, RESOURCES
from capacity.planning.evidence.saturated_steps import judged
from capacity.planning.evidence.windows import Window
from capacity.reporting.document import Section, Table, cells
from capacity.reporting.formats.finite import finite
from capacity.reporting.measured import fitted, fitted_windows, measured
from capacity.reporting.words import limit, origin

_SAME_RATIO = 0.005
"""A ceiling that is the quotient but for rounding."""
_FREE = 0.0
_PARTS = {
    "connections": "per_connection",
    "deliveries_per_s": "per_delivery_per_s",
    "requests_per_s": "per_request_per_s",
    "handshakes_per_s": "per_handshake_per_s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The use on one plateau, and what the line says there."""

    step: int
    connections: float
    deliveries_per_s: float
    requests_per_s: float
    windows: int
    mean_use: float
    """In the resource's unit; of a latency its percentile."""
    fitted_use: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One ceiling taken apart. Uses are in `unit`."""

    run: str
    resource: Resource
    unit: str
    limit: Limit
    readings: tuple[Reading, ...]
    cost: UnitCost
    mix: LoadVector
    baseline: float
    marginal: float
    """Use that one more connection adds with its share of the mix."""
    room: float
    """Limit less baseline."""
    quotient: float | None
    """Room / marginal; None where a connection costs nothing."""
    ceiling: Estimate
    is_bottleneck: bool
    capacity: Estimate
    safe_capacity: int
    notes: tuple[str, ...]
    """Why the ceiling is not the quotient, and what its interval is made of."""


_EXPLANATION: TypeAdapter[Explanation] = TypeAdapter(Explanation)


def explain(
    record: RunRecord, plan: CapacityPlan, wall: Wall, windows: list[Window] | None = None
) -> Explanation:
    """Return why *wall* of the plan of *record* stands where it stands.

    *windows* are `fitted_windows` of the judged record, for who explains several walls.
    """
    if windows is None:
        record = judged(record)
        windows = fitted_windows(record)
    baseline, marginal = wall.cost.baseline.mid, wall.cost.marginal_along(plan.mix)
    room = (wall.limit.value or 0.0) - baseline
    quotient = room / marginal if marginal > _FREE else None
    return Explanation(
        run=plan.run,
        resource=wall.resource,
        unit=UNITS[wall.resource],
        limit=wall.limit,
        readings=tuple(
            Reading(
                step=each.step.index,
                connections=each.load.connections,
                deliveries_per_s=each.load.deliveries_per_s,
                requests_per_s=each.load.requests_per_s,
                windows=len(each.used),
                mean_use=each.mean,
                fitted_use=fitted(wall.cost, each.load),
            )
            for each in measured(record, windows, wall.resource)
        ),
        cost=wall.cost,
        mix=plan.mix,
        baseline=baseline,
        marginal=marginal,
        room=room,
        quotient=quotient,
        ceiling=wall.ceiling,
        is_bottleneck=wall is plan.ladder[0],
        capacity=plan.capacity,
        safe_capacity=plan.safe_capacity,
        notes=tuple(_notes(plan, wall, quotient)),
    )


def render_json(explanation: Explanation) -> str:
    content = finite(_EXPLANATION.dump_python(explanation, mode="json"))
    document = {"schema_version": 1, "kind": "explanation", "explanation": content}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def headline(told: Explanation) -> str:
    name = RESOURCES[told.resource]
    first = "the bottleneck" if told.is_bottleneck else "not the bottleneck"
    return f"{name}: {units.middle(told.ceiling)} connections, {first}"


def sections(told: Explanation) -> tuple[Section, ...]:
    """Return limit, readings, line and arithmetic, in the order in which one checks them."""
    resource = told.resource
    rows = tuple(
        cells(
            units.step_number(each.step),
            units.count(each.connections),
            units.number(each.deliveries_per_s),
            units.number(each.requests_per_s),
            units.amount(each.mean_use, resource),
            units.amount(each.fitted_use, resource),
        )
        for each in told.readings
    )
    return (
        Section(
            anchor="limit",
            heading="Limit",
            paragraphs=(f"{limit(told.limit)}, read from {origin(told.limit)}",),
        ),
        Section(
            anchor="readings",
            heading="Readings",
            table=Table(
                columns=("Step", "Connections", "Deliveries/s", "Requests/s", "Mean use", "Fitted"),
                rows=rows,
                numeric=frozenset(range(6)),
            ),
        ),
        Section(anchor="fit", heading="Fit", paragraphs=tuple(_fit(told))),
        Section(anchor="arithmetic", heading="Arithmetic", paragraphs=tuple(_arithmetic(told))),
        Section(anchor="notes", heading="Notes", paragraphs=told.notes),
    )


def _fit(told: Explanation) -> list[str]:
    cost, resource = told.cost, told.resource
    said = [f"baseline {_amount(cost.baseline, resource)}"]
    said += [
        f"{_amount(getattr(cost, _PARTS[name]), resource)} {_PER[name]}" for name in cost.separated
    ]
    merged = [
        LOADS[name] for name in LOADS if name not in cost.separated and getattr(told.mix, name)
    ]
    if merged and told.resource not in COUNTED:
        said.append(f"contained in these: {', '.join(merged)}")
    said.append(
        f"residuals {units.share(cost.residual_ratio)} of the mean use, {cost.windows} windows"
    )
    return said


_PER = {
    "connections": "per open connection",
    "deliveries_per_s": "per delivery/s",
    "requests_per_s": "per request/s",
    "handshakes_per_s": "per handshake/s",
}


def _arithmetic(told: Explanation) -> list[str]:
    cost, mix, resource = told.cost, told.mix, told.resource
    parts = [
        f"{units.amount(getattr(cost, _PARTS[name]).mid, resource)} × {units.number(getattr(mix, name))}"
        for name in cost.separated
        if getattr(cost, _PARTS[name]).mid > _FREE and getattr(mix, name) > _FREE
    ]
    marginal = units.amount(told.marginal, resource)
    said = [f"per connection along the mix: {' + '.join(parts) or '0'} = {marginal}"]
    if told.quotient is not None:
        said.append(
            f"({limit(told.limit)} − {units.amount(told.baseline, resource)})"
            f" / {units.amount(told.marginal, resource)}"
            f" = {_quotient(told.quotient)} connections"
        )
    ceiling = f"ceiling: {units.middle(told.ceiling)}"
    said.append(f"{ceiling}; interval {units.interval(told.ceiling)}")
    if told.is_bottleneck:
        said.append(
            f"capacity {units.middle(told.capacity)}, interval {units.interval(told.capacity)};"
            f" safe capacity {units.count(told.safe_capacity)}"
        )
    return said


def _quotient(value: float) -> str:
    """Return the digits to check by, unless it is larger than anybody needs."""
    return units.about(value) if value >= units.LARGEST else units.number(value, 5)


def _amount(estimate: Estimate, resource: Resource) -> str:
    middle = units.amount(estimate.mid, resource)
    if estimate.low == estimate.high:
        return middle
    low, high = (units.amount(end, resource) for end in (estimate.low, estimate.high))
    return f"{middle} ({low} to {high})"


def _notes(plan: CapacityPlan, wall: Wall, quotient: float | None) -> list[str]:
    said = []
    if wall.limit.scope == "met":
        said.append("the run itself ran into this limit: what it held and what failed bound it")
    elif plan.met is not None and plan.met.resource is wall.resource:
        said.append(f"bounded by what the run met: {plan.met.statement}")
    elif wall.resource in LATENCIES:
        said.append(
            "a percentile does not grow along one line: the ceiling is the median of six lines,"
            " less their usual bias"
        )
    elif quotient is None or not _is_quotient(wall, quotient):
        said.append(
            "the ceiling is not this quotient: several processes share the connections by chance,"
            " and the fullest one decides"
        )
    elif wall.resource in COUNTED:
        said.append("a counted resource: the last whole connection that fits")
    if wall.resource in ENVELOPED:
        said.append("memory runs out by its peaks: they are added to the baseline of the mean use")
    if wall.ceiling.low != wall.ceiling.high and wall.resource in COUNTED:
        said.append("the interval holds the scatter of the steps (300 resampled fits)")
    elif wall.ceiling.low != wall.ceiling.high:
        said.append(
            "the interval holds the scatter of the steps (300 resampled fits) and what straight lines"
            f" missed in validation; it lies at {units.number(_reach(plan, wall))} times the tested load"
        )
    if wall is plan.ladder[0]:
        said.append(
            "the safe capacity is the lower end of the capacity's interval (one-sided 95 %), the"
            " lowest ceiling of all resources in each resampled fit"
        )
    return said


def _is_quotient(wall: Wall, quotient: float) -> bool:
    rounded = math.floor(quotient) if wall.resource in COUNTED else quotient
    return abs(wall.ceiling.mid - rounded) <= max(_SAME_RATIO * abs(rounded), 1.0)


def _reach(plan: CapacityPlan, wall: Wall) -> float:
    return wall.ceiling.mid / max(plan.highest_connections, 1)


def numbers_of(plan: CapacityPlan) -> Sequence[tuple[float, Wall]]:
    """Return the numbers that a plan shows, each with the wall that explains it."""
    first = plan.ladder[0]
    shown = [(plan.capacity.mid, first), (float(plan.safe_capacity), first)]
    shown += [(end, first) for end in (plan.capacity.low, plan.capacity.high)]
    for wall in plan.ladder:
        shown += [(end, wall) for end in (wall.ceiling.mid, wall.ceiling.low, wall.ceiling.high)]
    return [(number, wall) for number, wall in shown if math.isfinite(number)]
