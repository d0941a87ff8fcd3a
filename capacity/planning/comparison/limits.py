"""Which limits are not what they were: read, not estimated, so that nothing about them is uncertain."""

import math
from collections.abc import Mapping, Sequence

from capacity.domain.answers.comparison import LimitChange, Outcome
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.comparison.run_costs import MeasuredRun

_SAME_RATIO = 1e-3
"""The size of a host's memory differs by some pages from boot to boot."""


def limit_changes(
    before: Sequence[MeasuredRun], after: Sequence[MeasuredRun]
) -> tuple[LimitChange, ...]:
    """Return the limits that differ between the last run of each side."""
    old, new = limits_of_plan(before[-1]), limits_of_plan(after[-1])
    return tuple(
        LimitChange(
            resource=resource,
            baseline=old.get(resource),
            current=new.get(resource),
            outcome=_outcome(old.get(resource), new.get(resource)),
        )
        for resource in Resource
        if resource in old or resource in new
        if not _is_same(old.get(resource), new.get(resource))
    )


def limits_of_plan(run: MeasuredRun) -> Mapping[Resource, Limit]:
    """Return the limits that the plan went by; what the run ran into is no setting."""
    limits = [wall.limit for wall in run.plan.ladder]
    limits += [item.limit for item in run.plan.no_ceiling if item.limit is not None]
    return {limit.resource: limit for limit in limits if limit.scope != "met"}


def _is_same(one: Limit | None, other: Limit | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.state is not other.state:
        return False
    return one.value == other.value or math.isclose(
        one.value or 0.0, other.value or 0.0, rel_tol=_SAME_RATIO
    )


def _outcome(before: Limit | None, after: Limit | None) -> Outcome:
    """Return what it means: less is a regression, what is not known on one side neither."""
    old, new = _height(before), _height(after)
    if old is None or new is None:
        return Outcome.CHANGED
    return Outcome.REGRESSION if new < old else Outcome.IMPROVEMENT


def _height(limit: Limit | None) -> float | None:
    if limit is None or limit.state is LimitState.UNKNOWN:
        return None
    return math.inf if limit.state is LimitState.UNLIMITED else limit.value
