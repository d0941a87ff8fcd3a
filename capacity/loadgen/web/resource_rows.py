"""The resources of the live page: use and limit now, cost and ceiling from the newest forecast."""

from collections.abc import Sequence
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.estimates import Estimate
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.sample import Sample
from capacity.domain.words import RESOURCES
from capacity.planning.evidence.effective_limits import effective_limits, known_value
from capacity.planning.live import latest_use

NEAR_RATIO, FULL_RATIO = 0.7, 0.9
"""Of a limit; from there on a bar says by its colour that it is near, or full."""
MISSING = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRow:
    name: str
    used: str
    limit: str
    ratio: float | None
    """Used over limit now."""
    kind: str
    """How the bar is painted: ok, near or full."""
    cost: str
    ceiling: str
    interval: str
    is_bottleneck: bool


def resource_rows(
    samples: Sequence[Sample],
    limits: Sequence[Limit],
    answer: CapacityPlan | Excuse | None,
) -> tuple[list[ResourceRow], list[ResourceRow]]:
    """Return the resources that a ceiling is forecast for, nearest first, and the others."""
    used = latest_use(samples)
    effective = effective_limits(limits)
    walls = answer.ladder if isinstance(answer, CapacityPlan) else ()
    mix = answer.mix if isinstance(answer, CapacityPlan) else None
    found = [
        _row(
            wall.resource,
            used.get(wall.resource),
            wall.limit,
            cost=wall.cost.marginal_along(mix) if mix is not None else None,
            ceiling=wall.ceiling,
            is_bottleneck=index == 0,
        )
        for index, wall in enumerate(walls)
    ]
    rest = (set(effective) | set(used)) - {wall.resource for wall in walls}
    others = [_row(name, used.get(name), effective.get(name)) for name in Resource if name in rest]
    others.sort(key=lambda row: -1.0 if row.ratio is None else row.ratio, reverse=True)
    return found, others


def _row(
    resource: Resource,
    used: float | None,
    limit: Limit | None,
    *,
    cost: float | None = None,
    ceiling: Estimate | None = None,
    is_bottleneck: bool = False,
) -> ResourceRow:
    most = known_value(limit)
    ratio = used / most if used is not None and most and resource not in LATENCIES else None
    kind = "ok" if ratio is None or ratio < NEAR_RATIO else "near"
    return ResourceRow(
        name=RESOURCES[resource],
        used=MISSING if used is None else units.amount(used, resource),
        limit=_limit(limit, resource),
        ratio=ratio,
        kind="full" if ratio is not None and ratio >= FULL_RATIO else kind,
        # Where it may be nothing, digits of it would be noise.
        cost=units.amount(cost, resource) if cost and ceiling and ceiling.is_bounded else MISSING,
        ceiling=MISSING if ceiling is None else _middle(ceiling),
        interval="" if ceiling is None or not ceiling.is_bounded else units.interval(ceiling),
        is_bottleneck=is_bottleneck,
    )


def _middle(ceiling: Estimate) -> str:
    """Return the most likely ceiling; without an upper end the middle is only a guess."""
    return units.middle(ceiling) if ceiling.is_bounded else f"at least {units.about(ceiling.low)}"


def _limit(limit: Limit | None, resource: Resource) -> str:
    if limit is None:
        return "no limit read"
    if limit.state is LimitState.UNLIMITED:
        return "unlimited"
    return "not readable" if limit.value is None else units.amount(limit.value, resource)
