"""The bottlenecks in order, the caveats, and the resources without a ceiling, as sections."""

from capacity.domain import units
from capacity.domain.caveats import Doubt
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan, Excuse, NoCeiling, UnitCost, Wall
from capacity.domain.resource_facts import RESOURCE_FACTS
from capacity.domain.words import RESOURCES
from capacity.reporting.document import Cell, Row, Section, Table, cells
from capacity.reporting.words import DOUBTS, limit, origin

_SMALLEST_PART_RATIO = 0.01
"""Smaller parts of a cost are not worth a reader's time."""

_COLUMNS = (
    "",
    "Resource",
    "Limit",
    "Idle usage",
    "Usage at peak load",
    "Cost per connection",
    "Ceiling, connections",
    "P(first)",
    "Headroom if raised",
    "How to raise it",
)


def ladder_section(plan: CapacityPlan | Excuse) -> Section:
    heading = "Bottlenecks, in order"
    if isinstance(plan, Excuse) or not plan.ladder:
        return Section(
            anchor="walls", heading=heading, paragraphs=("No bottleneck could be computed.",)
        )
    rows = tuple(_wall(position, wall, plan) for position, wall in enumerate(plan.ladder, start=1))
    return Section(
        anchor="walls",
        heading=heading,
        paragraphs=(
            "For each resource alone: at how many connections it reaches its limit, at this workload.",
            "P(first): share of bootstrap replicates in which the resource is the bottleneck.",
        ),
        table=Table(columns=_COLUMNS, rows=rows, numeric=frozenset({3, 4, 5, 6, 7, 8})),
    )


def _wall(position: int, wall: Wall, plan: CapacityPlan) -> Row:
    resource, at_highest = wall.resource, wall.used_at_highest
    gain = "" if wall.gain is None else f"+{units.about(wall.gain)}"
    share = units.share(at_highest / wall.limit.value) if wall.limit.value else ""
    return (
        Cell(text=str(position)),
        Cell(text=RESOURCES[resource]),
        Cell(text=limit(wall.limit), note=origin(wall.limit)),
        Cell(text=units.amount(wall.used_at_baseline, resource)),
        Cell(
            text=units.amount(at_highest, resource),
            note=f"{share} of the limit" if share else "",
        ),
        Cell(
            text=units.amount(wall.cost.marginal_along(plan.mix), resource),
            note=_parts(wall, plan.mix),
        ),
        Cell(text=units.middle(wall.ceiling), note=units.interval(wall.ceiling)),
        Cell(text=units.share(wall.binding_probability)),
        Cell(text=gain or ("last one known" if position == len(plan.ladder) else "not known")),
        Cell(text=wall.remedy),
    )


def _parts(wall: Wall, mix: LoadVector) -> str:
    """Return what the cost along the mix is made of, where the run could tell."""
    cost, resource = wall.cost, wall.resource
    if len(cost.separated) < 2:
        return "whole workload, not separable"
    joined = [
        noun
        for name, noun, per_connection in (
            ("deliveries_per_s", "deliveries", mix.deliveries_per_s),
            ("requests_per_s", "requests", mix.requests_per_s),
            ("handshakes_per_s", "handshakes", mix.handshakes_per_s),
        )
        if name not in cost.separated and per_connection > 0
    ]
    alone = f"connection including {' and '.join(joined)}" if joined else "idle connection"
    parts = {
        "connections": (alone, cost.per_connection.mid),
        "deliveries_per_s": ("deliveries", cost.per_delivery_per_s.mid * mix.deliveries_per_s),
        "requests_per_s": ("requests", cost.per_request_per_s.mid * mix.requests_per_s),
        "handshakes_per_s": ("handshakes", cost.per_handshake_per_s.mid * mix.handshakes_per_s),
    }
    least = cost.marginal_along(mix) * _SMALLEST_PART_RATIO
    costly = [parts[name] for name in cost.separated if name in parts and parts[name][1] > least]
    if len(costly) == 1:
        return f"all of it: {costly[0][0]}"
    return ", ".join(
        f"{name} {units.amount(value, resource)}{_each(name, cost)}" for name, value in costly
    )


def _each(name: str, cost: UnitCost) -> str:
    """Return the CPU time of one delivery, request or handshake; nothing for other resources."""
    each = {
        "deliveries": cost.per_delivery_per_s.mid,
        "requests": cost.per_request_per_s.mid,
        "handshakes": cost.per_handshake_per_s.mid,
    }
    if name not in each or RESOURCE_FACTS[cost.resource].unit != "cores":
        return ""
    return f" ({units.duration(each[name])} CPU each)"


def doubts_section(doubts: tuple[Doubt, ...]) -> Section:
    heading = "Caveats and how to resolve them"
    if not doubts:
        return Section(anchor="doubts", heading=heading, paragraphs=("No caveats.",))
    rows = tuple(cells(DOUBTS[doubt.kind], doubt.statement, doubt.remedy) for doubt in doubts)
    return Section(
        anchor="doubts",
        heading=heading,
        table=Table(columns=("Caveat", "What was seen", "What to do"), rows=rows),
    )


def assumptions_section(plan: CapacityPlan | Excuse) -> Section:
    heading = "Assumptions"
    if isinstance(plan, Excuse) or not plan.assumptions:
        return Section(anchor="assumptions", heading=heading, paragraphs=("None.",))
    return Section(
        anchor="assumptions",
        heading=heading,
        paragraphs=tuple(f"{each.statement} {each.remedy}" for each in plan.assumptions),
    )


def no_ceiling_section(plan: CapacityPlan | Excuse) -> Section:
    heading = "Resources without a ceiling"
    if isinstance(plan, Excuse) or not plan.no_ceiling:
        text = "Not known without a plan." if isinstance(plan, Excuse) else "None."
        return Section(anchor="no-ceiling", heading=heading, paragraphs=(text,))
    return Section(
        anchor="no-ceiling",
        heading=heading,
        table=Table(
            columns=("Resource", "Why", "Limit"),
            rows=tuple(_open(item) for item in plan.no_ceiling),
        ),
    )


def _open(item: NoCeiling) -> Row:
    if item.limit is None:
        shown = Cell(text="not read")
    else:
        shown = Cell(text=limit(item.limit), note=origin(item.limit))
    return (*cells(RESOURCES[item.resource], item.reason), shown)
