"""Planted runs with ramps, demands and hosts for them, and the ceilings as other code reckons them."""

import runpy
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np

from capacity.domain.answers.sizing import Demand, HostType
from capacity.domain.answers.storm_drill import Retry
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.domain.run import LoadPoint, RunEvent

PLANTED = runpy.run_path(
    str(Path(__file__).parent / "planning" / "comparison" / "planted_change.py")
)
CONNECT_S = 0.004
"""Core-seconds of the event loop that one planted connect takes."""
AS_OF_AT = 1_767_225_600.0
MONTH_S = 365.25 / 12 * 86_400.0


def planted(seed):
    """Return a run with limits, and so a first bottleneck, of its seed."""
    record = PLANTED["record"](
        seed, memory_limit=90e6 + 20e6 * (seed % 5), descriptors=700.0 + 150.0 * (seed % 4)
    )
    return with_ramps(record)


def means(record, step, resource):
    return fmean(
        sample.used[resource]
        for sample in record.samples
        if step.plateau_started_at <= sample.at <= step.plateau_ended_at
    )


def reckoned(record, plan, wall):
    """Return baseline, added use of a connection and ceiling, by a plain least-squares fit."""
    steps = [step for step in record.steps if step.load is not None]
    design = [
        [1.0, s.load.connections, s.load.deliveries_per_s, s.load.requests_per_s] for s in steps
    ]
    uses = [means(record, step, wall.resource) for step in steps]
    scale = np.maximum(np.abs(uses), 1e-12)
    costs = np.linalg.lstsq(np.array(design) / scale[:, None], uses / scale, rcond=None)[0]
    mix = [0.0, 1.0, plan.mix.deliveries_per_s, plan.mix.requests_per_s]
    added = float(costs @ mix)
    return float(costs[0]), added, (wall.limit.value - float(costs[0])) / added


def with_ramps(record):
    """Return the run with a planted cost of every connect in the seconds before each plateau."""
    samples, events, points, steps, open_before = list(record.samples), [], [], [], 0
    for step in record.steps:
        opened = max(0, step.step.connections - open_before)
        open_before = step.step.connections
        steps.append(replace(step, connects=opened))
        for name, at in (("ramp", step.started_at), ("plateau", step.plateau_started_at)):
            events.append(
                RunEvent(at=at, kind="phase", detail={"phase": name, "index": step.index})
            )
        points.append(point(step, step.started_at))
        points.append(point(step, step.plateau_ended_at))
        within = [
            index
            for index, sample in enumerate(samples)
            if step.started_at < sample.at < step.plateau_started_at
        ]
        for index in within:
            used = dict(samples[index].used)
            used[Resource.EVENT_LOOP] += CONNECT_S * opened / len(within)
            samples[index] = replace(
                samples[index], used=used, gauges={"accept_queue_limit": 128.0}
            )
    return replace(
        record,
        steps=tuple(steps),
        samples=tuple(samples),
        points=tuple(points),
        events=(*events, *record.events),
    )


def point(step, at):
    return LoadPoint(
        at=at,
        index=step.index,
        phase="plateau",
        users=step.users,
        open_connections=step.step.connections,
        deliveries_per_s=step.load.deliveries_per_s,
        requests_per_s=step.load.requests_per_s,
        failures=0,
    )


def demand_of(seed):
    return Demand(
        name="planted",
        connections=5_000.0 + 400.0 * seed,
        as_of_at=AS_OF_AT,
        size_for_at=AS_OF_AT + 6 * MONTH_S,
        growth_per_month=Estimate(low=0.02, mid=0.04, high=0.06, confidence=0.9),
        deliveries_per_s=None,
        requests_per_s=None,
        headroom_ratio=0.2,
        lost_instances=seed % 2,
        zones=2,
        lost_zones=1,
        host="same",
        instances=30,
        retry=Retry(policy="full_jitter", waits_s=((0.0, 1.0), (0.0, 30.0))),
        handshake_timeout_s=10.0,
        reconnect_window_s=20.0,
    )


def hosts_of(plan):
    """Return the tested host, and one with twice as much of everything but speed."""
    limits = {wall.resource: wall.limit.value for wall in plan.ladder}
    return tuple(
        HostType(
            name=name,
            cores=4.0,
            core_speed_ratio=1.0,
            memory_bytes=factor * limits[Resource.MEMORY],
            network_bytes_per_s=None,
            limits={Resource.DESCRIPTORS: factor * limits[Resource.DESCRIPTORS]},
            price_per_month=factor * 40.0,
            currency="EUR",
        )
        for name, factor in (("same", 1), ("double", 2))
    )
