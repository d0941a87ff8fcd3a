"""
The plan: from a recorded run to a capacity with its walls and doubts, or to an excuse.

Pure and deterministic, one room after the other: evidence (windows, mix) → costs → bottlenecks
(ceilings, ladder) → caveats.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from capacity.domain.plan import CapacityPlan, Excuse, GeneratorVerdict
from capacity.domain.resources import Limit, Resource
from capacity.domain.run import RunRecord
from capacity.planning.bottlenecks.ceilings import walls
from capacity.planning.bottlenecks.latency_objectives import latency_uses
from capacity.planning.caveats.collected import Caveats, Forecast, caveats
from capacity.planning.caveats.generator import generator_verdict
from capacity.planning.caveats.no_result import why_no_fit, why_no_wall
from capacity.planning.caveats.rising_use import not_held
from capacity.planning.caveats.run_evidence import changed_limits
from capacity.planning.costs.young_generation import garbage_bytes
from capacity.planning.evidence.effective_limits import (
    effective_limits,
    known_value,
    limits_at,
    limits_under_load,
    unclear_caps,
)
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.met_limits import held_connections, met_limits
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.mix import measured_mix, widest_mix
from capacity.planning.evidence.saturated_steps import judged
from capacity.planning.evidence.windows import (
    Window,
    offset_of,
    plateau_windows,
    windows_of_one_life,
)
from capacity.planning.safety.climb import next_level


def plan(record: RunRecord, *, declared: Sequence[Limit] = ()) -> CapacityPlan | Excuse:
    """Return how many connections the target holds; *declared* are limits that nobody can read."""
    record = judged(record)
    verdict = generator_verdict(record.steps)
    offset_s = offset_of(record.manifest.clock_offset)
    windows = windows_of_one_life(plateau_windows(record.steps, record.samples, offset_s))
    read = limits_under_load(limits_of(record), windows)
    limits = effective_limits([*read, *declared])
    stated = [*limits.values(), *unclear_caps(read, limits)]
    gap = why_no_fit(record, windows)
    if gap is not None:
        return _excuse(record, gap, verdict, caveats(record, verdict, stated))
    mix = measured_mix(record.steps)
    assert mix is not None, "why_no_fit has looked"
    met = met_limits(record, stated)
    windows, limits = count_connections_here(windows, limits)
    attributed = attribution(windows)
    latencies = latency_uses(record, {window.step for window in windows})
    # Of the mix that the capacity is quoted for: more connections may have been held idle.
    highest = held_connections(record.steps)
    found = walls(
        *(windows, attributed, mix, limits, _missing_reasons(record)),
        latencies=latencies,
        ran_into=met,
        held=highest,
        garbage=garbage_bytes(record.manifest.agent),
    )
    if found.capacity is None:
        gap = why_no_wall(found.no_ceiling)
        return _excuse(record, gap, verdict, caveats(record, verdict, stated))
    gap = not_held(record, windows, found.ladder[0])
    if gap is not None:
        return _excuse(record, gap, verdict, caveats(record, verdict, stated))
    forecast = Forecast(
        found=found,
        capacity=found.capacity,
        highest=highest,
        mix=mix,
        windows=windows,
        attributed=attributed,
        latencies=latencies,
        met=met,
    )
    reasons = caveats(record, verdict, stated, forecast)
    answer = CapacityPlan(
        run=record.manifest.run,
        capacity=found.capacity,
        safe_capacity=math.floor(found.capacity.low),
        binding=found.ladder[0].resource,
        mix=mix,
        ladder=found.ladder,
        no_ceiling=found.no_ceiling,
        highest_connections=highest,
        extrapolation_ratio=found.capacity.mid / highest,
        condition_number=attributed.condition_number,
        generator=verdict,
        doubts=reasons.doubts,
        assumptions=reasons.assumptions,
        widest_mix=widest_mix(windows),
        fan=found.fan,
        met=met[0] if met else None,
        connections_per_client=record.manifest.target.connections_per_client,
    )
    return replace(answer, next_level=next_level(answer))


def count_connections_here(
    windows: list[Window], limits: dict[Resource, Limit]
) -> tuple[list[Window], dict[Resource, Limit]]:
    """Return both with the generator's own count where the agent counted connections at one level or none.

    It counts less often than it samples, and a short plateau may pass between; those of others that it did
    count are added. Only where a limit of application connections is known; its source then says so.
    """
    resource = Resource.APPLICATION_CONNECTIONS
    limit = limits.get(resource)
    if known_value(limit) is None or limit is None:
        return windows, limits
    read = [window for window in windows if resource in window.mean]
    if len({window.asked_connections for window in read}) > 1:
        return windows, limits
    others = min((window.mean[resource] - window.load.connections for window in read), default=0.0)
    counted = [
        replace(
            window,
            mean={**window.mean, resource: window.load.connections + max(0.0, others)},
        )
        for window in windows
    ]
    source = f"{limit.source} (connections counted by the generator, not by the agent)"
    return counted, {**limits, resource: replace(limit, source=source)}


def limits_of(record: RunRecord) -> list[Limit]:
    """Return the agent's limits, with those set anew during the run as they were last, and those of

    the programs on the connections' way.
    """
    agent = record.manifest.agent
    latest = {limit.place: limit for limit in (agent.limits if agent else ())}
    for limit in changed_limits(record):
        latest[limit.place] = limit
    on_the_way = agent.path_limits if agent else ()
    return [*limits_at(list(latest.values()), record.manifest.target.port, agent), *on_the_way]


def _missing_reasons(record: RunRecord) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for sample in record.samples:
        reasons.update(sample.missing)
    return reasons


def _excuse(record: RunRecord, gap: Gap, verdict: GeneratorVerdict, reasons: Caveats) -> Excuse:
    return Excuse(
        run=record.manifest.run,
        reason=gap.reason,
        remedy=gap.remedy,
        generator=verdict,
        doubts=reasons.doubts,
    )
