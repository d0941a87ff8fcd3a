"""The figures of one run, measured and modelled. What is missing is there with its reason."""

from collections.abc import Sequence

from capacity.domain.answers.comparison import Comparison
from capacity.domain.answers.rules import Figure
from capacity.domain.answers.sizing import Demand
from capacity.domain.observation import Quantiles
from capacity.domain.plan import CapacityPlan, Excuse, Wall
from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import RunRecord
from capacity.planning.advice.present_instances import present_instances
from capacity.planning.evidence.windows import is_usable
from capacity.planning.rules.expression import UNKNOWN
from capacity.planning.rules.names import DIMENSIONS, PARTS, QUANTILES

Value = float | frozenset[str]
_NO_BASELINE = "there is no baseline; name one with --baseline"
_COSTS = {
    "delivery": "per_delivery_per_s",
    "request": "per_request_per_s",
    "handshake": "per_handshake_per_s",
}


def figures(
    record: RunRecord,
    answer: CapacityPlan | Excuse,
    demand: Demand | None = None,
    comparison: Comparison | None = None,
) -> dict[str, Figure]:
    """Return every figure that a rule may name, with its value or why it has none."""
    found: dict[str, Value] = _measured(record)
    missing: dict[str, str] = {}
    if isinstance(answer, Excuse):
        missing = dict.fromkeys(set(DIMENSIONS) - set(found), f"no plan: {answer.reason}")
    else:
        found |= _modelled(answer)
        room = _headroom(answer, demand)
        if isinstance(room, str):
            missing["headroom"] = room
        else:
            found["headroom"] = room
    if comparison is None:
        missing |= dict.fromkeys(("audit.changed", "regressions"), _NO_BASELINE)
    else:
        found["audit.changed"] = frozenset(each.resource.value for each in comparison.limits)
        found["regressions"] = frozenset(comparison.regressions)
    return {
        name: Figure(
            dimension=dimension,
            value=found.get(name),
            missing="" if name in found else missing.get(name, "this run did not measure it"),
        )
        for name, dimension in DIMENSIONS.items()
    }


def _measured(record: RunRecord) -> dict[str, Value]:
    steps = record.steps
    found: dict[str, Value] = {}
    if steps:
        found["connections.lost"] = float(sum(step.lost for step in steps))
        found["connections.failed"] = float(sum(sum(step.failures.values()) for step in steps))
        found["updates.missing"] = float(sum(step.gaps for step in steps))
    mixed = [step for step in steps if step.step.is_mix and is_usable(step)]
    for series in LATENCIES:
        read: Sequence[Quantiles] = [
            quantiles for step in mixed if (quantiles := getattr(step, series)) is not None
        ]
        for name in QUANTILES if read else ():
            # Of the worst plateau with the full mix.
            found[f"{series}.{name}"] = max(getattr(each, f"{name}_s") for each in read)
    return found


def _modelled(plan: CapacityPlan) -> dict[str, Value]:
    capacity = plan.capacity
    unknown = plan.binding is Resource.UNIDENTIFIED
    found: dict[str, Value] = {
        "capacity.safe": float(plan.safe_capacity),
        "capacity.mid": capacity.mid,
        "capacity.low": capacity.low,
        "capacity.high": capacity.high,
        "extrapolation": plan.extrapolation_ratio,
        "tested.connections": float(plan.highest_connections),
        "bottleneck": frozenset({UNKNOWN if unknown else plan.binding.value}),
        "caveats": frozenset(doubt.kind.value for doubt in plan.doubts),
    }
    if plan.generator.worst_lag_p95_s is not None:
        found["generator.lag_p95"] = plan.generator.worst_lag_p95_s
    if plan.generator.worst_cpu_ratio is not None:
        found["generator.cpu"] = plan.generator.worst_cpu_ratio
    for limit in _limits(plan):
        if limit.state is LimitState.KNOWN and limit.value is not None:
            found[f"limit.{limit.resource}"] = limit.value
    for wall in plan.ladder:
        found |= _of_wall(wall, plan)
    return {name: value for name, value in found.items() if name in DIMENSIONS}


def _limits(plan: CapacityPlan) -> list[Limit]:
    limits = [wall.limit for wall in plan.ladder]
    return limits + [item.limit for item in plan.no_ceiling if item.limit is not None]


def _of_wall(wall: Wall, plan: CapacityPlan) -> dict[str, Value]:
    name, cost = wall.resource, wall.cost
    found: dict[str, Value] = {
        f"ceiling.{name}": wall.ceiling.mid,
        f"baseline.{name}": cost.baseline.mid,
        f"cost.{name}_per_connection": cost.marginal_along(plan.mix),
    }
    if wall.limit.value:
        found[f"utilization.{name}"] = wall.used_at_highest / wall.limit.value
    for part, field in _COSTS.items():
        if PARTS[part] in cost.separated:
            found[f"cost.{name}_per_{part}"] = getattr(cost, field).mid
    return found


def _headroom(plan: CapacityPlan, demand: Demand | None) -> float | str:
    """Return the share of the safe capacity that the demand leaves free, or why that is not known."""
    if demand is None:
        return "no demand is known; name one with --demand"
    if plan.safe_capacity <= 0:
        return "the safe capacity is 0"
    instances, safe = present_instances(plan, demand)
    if instances is None:
        return f"demand {demand.name} does not say how many instances there are, and none was sized"
    if safe <= 0:
        return f"what one instance of type {demand.host} carries is not known: plan with --hosts"
    return 1.0 - demand.connections / instances / safe
