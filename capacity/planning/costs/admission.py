"""
How many connections a target takes in a second, where the ramps of a run found out.

A ramp that was meant to be faster, but was held back by handshakes that waited while the target's
processors did not, ran at the rate of whatever lets connections in: an acceptor, a rate limit that
queues, a lock. Its seconds show that rate from below: the generator goes up to where handshakes begin
to wait, backs off, and goes up again (workload/profiles/connect_rate.py).
"""

from itertools import pairwise
from statistics import median, quantiles

from capacity.domain.estimates import Estimate
from capacity.domain.load import SLOW_HANDSHAKE_RATIO, SLOW_HANDSHAKE_S
from capacity.domain.plan import CapacityPlan
from capacity.domain.run import LoadPoint, RunRecord
from capacity.planning.costs.ramps import CPU_RESOURCES, Ramp, ramps
from capacity.planning.evidence.effective_limits import known_value
from capacity.planning.evidence.plausible import UNREAD, is_plausible

FEWEST_SECONDS = 5
"""Of ramps that were held back, for a rate."""
HELD_BACK_RATIO = 0.8
"""Of the rate that the ramp was meant to have; at a higher one nothing held it back."""
IDLE_RATIO = 0.6
"""Of the processors' limit: beyond, arrivals wait for processor time, whose cost is known."""
HOST_BUSY_RATIO = 0.9
"""Of all of the host's processors, whoever uses them: beyond, arrivals wait for their turn on one."""
SHORTEST_RAMP_S = 6.0
"""A careful ramp takes this time at least."""
ABOVE_RATIO = 1.1
"""What lets connections in may take that much more than the fastest second had."""
HOST_CPU_GAUGE = "cpu_system_ratio"
_CONFIDENCE = 0.9


def admission_per_s(record: RunRecord, plan: CapacityPlan) -> Estimate | None:
    """Return the rate of admission per second; None where no ramp met one."""
    found = [ramp for ramp in ramps(record) if ramp.opened and ramp.step.handshake_time]
    if not found:
        return None
    usual_s = min(ramp.step.handshake_time.p50_s for ramp in found if ramp.step.handshake_time)
    rates = [
        rate
        for ramp in found
        if _is_held_back(ramp, usual_s) and not _is_busy(ramp, plan) and not _is_eased(ramp, record)
        for rate in _rates_per_s(ramp, record.points)
    ]
    if len(rates) < FEWEST_SECONDS:
        return None
    *_, mid = quantiles(rates, n=20)
    mid = min(mid, max(rates))
    return Estimate(
        low=min(mid, median(rates)), mid=mid, high=ABOVE_RATIO * max(rates), confidence=_CONFIDENCE
    )


def _is_held_back(ramp: Ramp, usual_s: float) -> bool:
    handshake = ramp.step.handshake_time
    assert handshake is not None
    meant_per_s = min(ramp.step.step.connects_per_s, ramp.opened / SHORTEST_RAMP_S)
    is_slow = handshake.max_s > max(SLOW_HANDSHAKE_S, SLOW_HANDSHAKE_RATIO * usual_s)
    return is_slow and ramp.opened_per_s < HELD_BACK_RATIO * meant_per_s


def _is_eased(ramp: Ramp, record: RunRecord) -> bool:
    """Tell whether the run itself slowed the ramp down, to spare the target: that pace is its own."""
    return any(
        event.kind == "eased" and ramp.began_at <= event.at <= ramp.ended_at
        for event in record.events
    )


def _is_busy(ramp: Ramp, plan: CapacityPlan) -> bool:
    """Tell whether the generator, or a processor, was used beyond what leaves arrivals alone, by whomever."""
    health = ramp.step.generator_opening
    if health is not None and health.is_near_limits:
        return True
    shares = (sample.gauges.get(HOST_CPU_GAUGE, UNREAD) for sample in ramp.samples)
    host = [share for share in shares if is_plausible(share)]
    if host and sum(host) / len(host) > HOST_BUSY_RATIO:
        return True
    for wall in plan.ladder:
        limit = known_value(wall.limit)
        if wall.resource not in CPU_RESOURCES or not limit:
            continue
        read = (sample.used.get(wall.resource) for sample in ramp.samples)
        used = [use for use in read if use is not None and is_plausible(use)]
        if used and sum(used) / len(used) > IDLE_RATIO * limit:
            return True
    return False


def _rates_per_s(ramp: Ramp, points: tuple[LoadPoint, ...]) -> list[float]:
    """Return the rate between each two points of the load that lie within the ramp."""
    within = [point for point in points if ramp.began_at <= point.at <= ramp.ended_at]
    return [
        (after.open_connections - before.open_connections) / (after.at - before.at)
        for before, after in pairwise(within)
        if after.at > before.at
    ]
