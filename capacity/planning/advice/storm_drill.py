"""
Storm drills beside what the plan foretells of them from the steps before.

Foretold is a simulation (models/operations/storm_drill.py) of the drill's own clients: they dial as
their habit says, and are let in at the rate that is left beside the load (arrival_cost.py, at the
middle of its cost), or at the rate of admission where that is lower. What comes after the wait, their
handshake and first update, is as the ramps had it. A drill is foretold from the steps, and at the rate
that an earlier drill let clients in at, where one met it; nothing of a drill enters its own forecast.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import median

from capacity.domain.answers.sizing import ArrivalCost, Unanswered
from capacity.domain.answers.storm_drill import (
    RESTORED_SHARES,
    UPGRADED,
    AdmissionRate,
    DrillOutcome,
    RestoredTime,
    Retry,
    StormDrill,
)
from capacity.domain.caveats import SATURATED_LAG_S
from capacity.domain.estimates import Estimate
from capacity.domain.load import SLOW_HANDSHAKE_S
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.sample import Sample
from capacity.models.operations.admission import admission
from capacity.models.operations.reconnect_storm import served_per_s
from capacity.models.operations.storm_drill import (
    repetitions,
    restored_times_s,
    share_restored_s,
)
from capacity.planning.advice.arrival_cost import arrival_cost
from capacity.planning.advice.first_updates import AfterTurn, after_turn_s
from capacity.planning.advice.other_hosts import host_walls, use_at
from capacity.planning.evidence.counter_growth import own_drops
from capacity.planning.evidence.plausible import is_plausible
from capacity.planning.evidence.windows import offset_of

CONFIDENCE = 0.9
_AFTER_S = 2.0
"""Samples that late still tell of a drill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    """Handshakes a second that are let in: at the upper, middle and lower end of what they cost."""

    low: float
    mid: float
    high: float
    bound_by: Resource | None
    burst: int = 1


def drill_outcomes(record: RunRecord, plan: CapacityPlan | Excuse) -> tuple[DrillOutcome, ...]:
    """Return each storm drill of a run; what *plan* foretells of it as far as it can."""
    before = _until_cut(record) if record.storms else record
    outcomes: list[DrillOutcome] = []
    for drill in record.storms:
        met = [outcome.admission for outcome in outcomes if outcome.admission is not None]
        outcomes.append(_outcome(record, before, plan, drill, met[-1] if met else None))
    return tuple(outcomes)


def _until_cut(record: RunRecord) -> RunRecord:
    """Return what was known before the first drill."""
    cut_at = record.storms[0].began_at
    offset_s = offset_of(record.manifest.clock_offset)
    return replace(
        record,
        samples=tuple(sample for sample in record.samples if sample.at - offset_s < cut_at),
        points=tuple(point for point in record.points if point.at < cut_at),
        storms=(),
    )


def _outcome(
    record: RunRecord,
    before: RunRecord,
    plan: CapacityPlan | Excuse,
    drill: StormDrill,
    met: AdmissionRate | None,
) -> DrillOutcome:
    rates = _rates(before, plan, drill.connections, met)
    foretold: Sequence[Estimate | None] = [None] * len(RESTORED_SHARES)
    if isinstance(rates, _Rates):
        foretold = _foretold(drill, rates, after_turn_s(before))
    earlier, during = _samples_of(record, drill)
    failures = Counter(attempt.outcome for attempt in drill.attempts if attempt.outcome != UPGRADED)
    lag_s = drill.lag_p95_s
    return DrillOutcome(
        number=drill.number,
        policy=drill.habit.policy,
        connections=drill.connections,
        cut=drill.cut,
        restored=len(drill.restored_s),
        longest_s=drill.longest_s,
        times=tuple(
            RestoredTime(
                share_ratio=share,
                measured_s=share_restored_s(drill.restored_s, drill.cut, share),
                foretold_s=estimate,
            )
            for share, estimate in zip(RESTORED_SHARES, foretold, strict=True)
        ),
        served_per_s=rates.mid if isinstance(rates, _Rates) else None,
        bound_by=rates.bound_by if isinstance(rates, _Rates) else None,
        why_not_foretold=None if isinstance(rates, _Rates) else rates.reason,
        admission=_admission(drill),
        refused=dict(failures),
        overflows=own_drops(earlier, during[-1]) if earlier and during else None,
        peaks=_peaks(earlier, during),
        delay_before=drill.delay_before,
        delay_during=drill.delay_during,
        latency_before=drill.latency_before,
        latency_during=drill.latency_during,
        stayed_lost=drill.stayed_lost,
        signs=drill.signs,
        aborted=drill.aborted,
        is_of_generator=(lag_s is not None and lag_s > SATURATED_LAG_S)
        or any(reason.startswith("generator_") for reason in failures),
    )


def _rates(
    record: RunRecord,
    plan: CapacityPlan | Excuse,
    connections: int,
    met: AdmissionRate | None,
) -> _Rates | Unanswered:
    if isinstance(plan, Excuse):
        return Unanswered(reason=f"No capacity: {plan.reason}", remedy="")
    if met is not None:
        # Measured with a queue that was full; an arrival of a slow ramp costs a cold processor more.
        rate = met.per_s
        return _Rates(low=rate, mid=rate, high=rate, bound_by=None, burst=met.burst)
    cost = arrival_cost(record, plan)
    if isinstance(cost, Unanswered):
        return cost
    rates = [_of_wall(plan, cost, resource, connections) for resource in cost.cpu_s]
    if cost.admitted_per_s is not None:
        rate = cost.admitted_per_s
        rates.append(_Rates(low=rate, mid=rate, high=rate, bound_by=None))
    if (seen := cost.admission_per_s) is not None and _are_slow(record):
        rates.append(_Rates(low=seen.low, mid=seen.mid, high=seen.high, bound_by=None))
    return min(rates, key=lambda rate: rate.mid)


def _are_slow(record: RunRecord) -> bool:
    """Tell whether more than a stray handshake was slow in some ramp: a single one is chance."""
    times = (step.handshake_time for step in record.steps)
    return any(time is not None and time.p99_s > SLOW_HANDSHAKE_S for time in times)


def _of_wall(plan: CapacityPlan, cost: ArrivalCost, resource: Resource, connections: int) -> _Rates:
    wall = next(wall for wall in host_walls(plan, plan.mix, None) if wall.resource is resource)
    spare = wall.limit - use_at(wall, connections)
    taken = cost.cpu_s[resource]

    def rate(each_s: float) -> float:
        return served_per_s(spare, each_s) if each_s > 0.0 else math.inf

    return _Rates(
        low=rate(taken.high), mid=rate(taken.mid), high=rate(taken.low), bound_by=resource
    )


def _foretold(
    drill: StormDrill, rates: _Rates, after_s: Callable[[Random], AfterTurn]
) -> list[Estimate | None]:
    """Return when each of the shares is served again, None for never."""
    if not drill.cut:
        return [None] * len(RESTORED_SHARES)
    rng = Random(drill.cut)  # noqa: S311 - the same drill has the same forecast

    def simulated(per_s: float, times: int) -> list[list[float]]:
        return [
            restored_times_s(
                drill.cut,
                served_per_s=per_s,
                burst=rates.burst,
                timeout_s=drill.handshake_timeout_s,
                wait_s=lambda failed, random01: _wait_s(drill.habit, failed, random01),
                after_s=after_s(rng),
                until_s=drill.longest_s,
                rng=rng,
            )
            for _ in range(times)
        ]

    times = repetitions(drill.cut)
    usual, fast, slow = (
        simulated(rates.mid, times),
        simulated(rates.high, times // 4),
        simulated(rates.low, times // 4),
    )
    return [
        _estimate(
            *(
                [share_restored_s(run, drill.cut, share) for run in runs]
                for runs in (usual, fast, slow)
            )
        )
        for share in RESTORED_SHARES
    ]


def _estimate(
    usual: Sequence[float | None], fast: Sequence[float | None], slow: Sequence[float | None]
) -> Estimate | None:
    usual_s, fast_s, slow_s = (
        sorted(math.inf if time is None else time for time in times)
        for times in (usual, fast, slow)
    )
    mid = median(usual_s)
    if not math.isfinite(mid):
        return None
    edge = len(usual_s) // 20
    return Estimate(
        low=min(mid, usual_s[edge], median(fast_s)),
        mid=mid,
        high=max(mid, usual_s[-1 - edge], median(slow_s)),
        confidence=CONFIDENCE,
    )


def _wait_s(habit: Retry, failed: int, random01: float) -> float:
    low, high = habit.waits_s[min(failed, len(habit.waits_s) - 1)]
    return low + (high - low) * random01


def _admission(drill: StormDrill) -> AdmissionRate | None:
    """Return what let the clients in, where the target had a queue of them or refused some."""
    let_in = [(a.began_s, a.ended_s) for a in drill.attempts if a.outcome == UPGRADED]
    refused = [a.ended_s for a in drill.attempts if a.outcome.startswith("handshake_rejected")]
    found = admission(let_in, refused)
    if found is None:
        return None
    per_s, burst, seen = found
    return AdmissionRate(per_s=per_s, burst=burst, seen=seen)


def _samples_of(record: RunRecord, drill: StormDrill) -> tuple[Sample | None, list[Sample]]:
    """Return the last sample before the cut, and those of the drill."""
    offset_s = offset_of(record.manifest.clock_offset)
    earlier = [sample for sample in record.samples if sample.at - offset_s <= drill.began_at]
    during = [
        sample
        for sample in record.samples
        if drill.began_at < sample.at - offset_s <= drill.ended_at + _AFTER_S
    ]
    return (earlier[-1] if earlier else None), during


def _peaks(earlier: Sample | None, during: Sequence[Sample]) -> dict[Resource, tuple[float, float]]:
    if earlier is None:
        return {}
    found = {}
    for resource, before in earlier.used.items():
        uses = [sample.used[resource] for sample in during if resource in sample.used]
        if uses and is_plausible(before) and all(map(is_plausible, uses)):
            found[resource] = (before, max(uses))
    return found
