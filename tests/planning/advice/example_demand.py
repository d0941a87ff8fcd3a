"""A demand, host types and a run with planted arrivals, for the plan of reporting/example_plan.py."""

import runpy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from capacity.domain.answers.sizing import ArrivalCost, HostType
from capacity.domain.answers.storm_drill import Retry
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import RunEvent

TESTS = Path(__file__).parents[2]
RECORDS = runpy.run_path(str(TESTS / "bare_records.py"))
demand_of = RECORDS["demand_of"]
EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "reporting" / "example_run.py"))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parents[2] / "reporting" / "example_plan.py"))
NEW_YEAR_AT = 1_767_225_600.0
JULY_AT = 1_782_864_000.0
GIB = 1024.0**3
RAMP_S = 8.0
SPREADING = Retry(policy="full_jitter", waits_s=((0.0, 1.0), (0.0, 2.0), (0.0, 60.0)))
AT_ONCE = Retry(policy="immediate", waits_s=((0.0, 0.0),))


def make_demand(**changes):
    growing = {
        "name": "growing",
        "connections": 100_000.0,
        "as_of_at": NEW_YEAR_AT,
        "instances": None,
        "retry": SPREADING,
    }
    return demand_of(**(growing | changes))


def make_host(**changes):
    host = HostType(
        name="medium",
        cores=4.0,
        core_speed_ratio=1.0,
        memory_bytes=8 * GIB,
        network_bytes_per_s=None,
        limits={},
        price_per_month=100.0,
        currency="EUR",
    )
    return replace(host, **changes)


def make_growth(mid, width):
    return Estimate(low=mid - width, mid=mid, high=mid + width, confidence=0.9)


def make_arrival_cost(cost_s=0.001):
    return ArrivalCost(
        cpu_s={
            Resource.EVENT_LOOP: Estimate(
                low=0.8 * cost_s, mid=0.9 * cost_s, high=cost_s, confidence=0.9
            )
        },
        arrivals=4_000,
        ramps=4,
        tested_per_s=500.0,
        backlog=1_024.0,
    )


def make_ramped_record(opening_s, subscribing_s):
    """The example run with the ramps before its plateaus, each arrival at the cost given."""
    record = EXAMPLE["make_record"]()
    samples, points, events = list(record.samples), list(record.points), []
    for before, step in pairwise((None, *record.steps)):
        opened = step.step.connections - (before.step.connections if before else 0)
        was_following = before is not None and before.step.subscriptions_per_connection
        following = step.step.connections if not was_following else opened
        subscribed = following if step.step.subscriptions_per_connection else 0
        began_at = step.plateau_started_at - RAMP_S - 2.0
        spent_s = opening_s * opened + subscribing_s * subscribed
        points.append(point(step, began_at, step.step.connections - opened))
        points.append(point(step, began_at + RAMP_S, step.step.connections))
        for second in range(int(RAMP_S)):
            share = (step.step.connections - opened + opened * (second + 0.5) / RAMP_S) / max(
                step.step.connections, 1
            )
            load = replace(
                step.load,
                connections=step.load.connections * share,
                deliveries_per_s=step.load.deliveries_per_s * share,
                requests_per_s=step.load.requests_per_s * share,
            )
            sample = EXAMPLE["make_sample"](0, began_at + second + 1.0, load)
            used = dict(sample.used)
            used[Resource.EVENT_LOOP] += spent_s / RAMP_S
            samples.append(replace(sample, used=used, gauges={"accept_queue_limit": 512.0}))
        events += [
            phase("ramp", step.index, began_at),
            phase("settle", step.index, began_at + RAMP_S),
        ]
    opened = dict.fromkeys(range(len(record.steps)), 0)
    for before, step in pairwise(record.steps):
        opened[step.index] = step.step.connections - before.step.connections
    return replace(
        record,
        steps=tuple(replace(step, connects=opened[step.index]) for step in record.steps),
        samples=tuple(sorted(samples, key=lambda sample: sample.at)),
        points=tuple(sorted(points, key=lambda each: each.at)),
        events=(*events, *record.events),
    )


def phase(name, index, at):
    return RunEvent(at=at, kind="phase", detail={"index": index, "phase": name})


def point(step, at, connections):
    return RECORDS["point_of"](
        at=at, index=step.index, phase="ramp", users=connections, open_connections=connections
    )


def make_plan(**limits):
    """The example plan, tested further, with some limits moved and their ceilings with them."""
    plan = replace(EXAMPLE_PLAN["make_plan"](), highest_connections=18_000)
    ladder = []
    for wall in plan.ladder:
        value = limits.get(wall.resource.value)
        if value is None:
            ladder.append(wall)
            continue
        scale = (value - wall.cost.baseline.mid) / (wall.limit.value - wall.cost.baseline.mid)
        ceiling = Estimate(
            low=wall.ceiling.low * scale,
            mid=wall.ceiling.mid * scale,
            high=wall.ceiling.high * scale,
            confidence=wall.ceiling.confidence,
        )
        limit = Limit(
            resource=wall.resource,
            state=LimitState.KNOWN,
            value=value,
            scope="process",
            source="moved",
        )
        ladder.append(replace(wall, limit=limit, ceiling=ceiling))
    return replace(plan, ladder=tuple(sorted(ladder, key=lambda wall: wall.ceiling.mid)))
