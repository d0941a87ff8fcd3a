"""A run with planted costs.

Every resource is exactly baseline + costs · load, so that what a report shows is known.
"""

from dataclasses import replace

from capacity.domain.load import LoadVector
from capacity.domain.observation import GeneratorHealth, Quantiles, StepObservation
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import ClockOffset, LoadPoint, RunEvent, RunManifest, RunRecord
from capacity.domain.sample import AgentInfo, Sample
from capacity.domain.target import TargetSpec
from capacity.workload.profiles.profile import Mix, Pace, mixed_step

STARTED_AT = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC
OFFSET_S = 2.5
PLATEAU_S = 12.0
STEP_S = 24.0
MIB = 1024.0**2

# resource: (limit, baseline, per connection, per delivery/s, per request/s)
PLANTED = {
    Resource.DESCRIPTORS: (20_000.0, 52.0, 1.0, 0.0, 0.0),
    Resource.EVENT_LOOP: (1.0, 0.02, 2e-6, 1.2e-5, 2e-4),
    Resource.MEMORY: (512 * MIB, 38 * MIB, 14_200.0, 600.0, 0.0),
    Resource.FILE_TABLE: (9_000_000.0, 1_400.0, 1.0, 0.0, 0.0),
}
PACE = Pace(connects_per_s=500.0, ramp_timeout_s=60.0, settle_s=2.0, plateau_s=PLATEAU_S)
LEVELS = (1246, 2493, 3740, 4987)
FULL_MIX = Mix(
    subscriptions_per_connection=2, requests_per_s_per_connection=0.01, poll_interval_s=1.0
)


def crossed(level, *, subscribed, polled):
    """Return a step with some of the mix, its connections' subscriptions, its polls or both."""
    step = mixed_step(level, FULL_MIX, PACE)
    return replace(
        step,
        subscriptions_per_connection=step.subscriptions_per_connection if subscribed else 0,
        requests_per_s=step.requests_per_s if polled else 0.0,
        is_mix=subscribed and polled,
    )


STEPS = (
    replace(mixed_step(0, FULL_MIX, PACE), is_mix=False),
    crossed(LEVELS[0], subscribed=False, polled=False),
    crossed(LEVELS[0], subscribed=True, polled=True),
    crossed(LEVELS[1], subscribed=False, polled=True),
    crossed(LEVELS[1], subscribed=True, polled=False),
    crossed(LEVELS[2], subscribed=False, polled=False),
    crossed(LEVELS[2], subscribed=True, polled=True),
    crossed(LEVELS[3], subscribed=False, polled=True),
    crossed(LEVELS[3], subscribed=True, polled=True),
)


def use(resource, load):
    _, baseline, idle, delivery, request = PLANTED[resource]
    return (
        baseline
        + idle * load.connections
        + delivery * load.deliveries_per_s
        + request * load.requests_per_s
    )


def load_of(step):
    deliveries_per_s = float(step.connections * step.subscriptions_per_connection)
    return LoadVector(
        connections=float(step.connections),
        deliveries_per_s=deliveries_per_s,
        delivered_bytes_per_s=210.0 * deliveries_per_s,
        requests_per_s=step.requests_per_s,
        handshakes_per_s=0.0,
    )


def make_limit(resource):
    return Limit(
        resource=resource,
        state=LimitState.KNOWN,
        value=PLANTED[resource][0],
        scope="process",
        source=f"/proc/4242/{resource.value}",
    )


def make_observation(index, step):
    started_at = STARTED_AT + STEP_S * index
    is_busy = step.subscriptions_per_connection and step.connections
    delay = Quantiles(count=9_000, p50_s=0.0011, p95_s=0.0034, p99_s=0.0089, max_s=0.021)
    return StepObservation(
        index=index,
        step=step,
        started_at=started_at,
        plateau_started_at=started_at + STEP_S - PLATEAU_S,
        plateau_ended_at=started_at + STEP_S,
        load=load_of(step),
        users=step.connections + 4,
        connections_peak=step.connections + 1,
        connects=step.connections,
        failures={},
        lost=0,
        gaps=0,
        unmatched=0,
        delivery_delay=delay if is_busy else None,
        request_latency=replace(delay, p50_s=0.0042) if step.requests_per_s else None,
        handshake_time=replace(delay, p50_s=0.0073) if step.connections else None,
        body_age=replace(delay, p50_s=0.0008) if step.requests_per_s else None,
        request_opening={"tcp": delay} if step.requests_per_s else {},
        not_modified=7 if step.requests_per_s else 0,
        opening={"tcp": replace(delay, p50_s=0.0002), "upgrade": delay} if step.connections else {},
        generator=GeneratorHealth(
            workers=2,
            lag_p95_s=0.0021,
            cpu_ratio=0.41,
            descriptors_ratio=0.13,
            queueing_p95_s=0.0007,
        ),
        void=None,
    )


def make_sample(seq, recorded_at, load):
    return Sample(
        seq=seq,
        at=recorded_at + OFFSET_S,
        interval_s=1.0,
        used={resource: use(resource, load) for resource in PLANTED},
        gauges={"agent_cpu_cores": 0.003},
        counters={},
        missing={"conntrack": "nf_conntrack is not loaded"},
        target_started_at=STARTED_AT - 3600,
    )


def make_record(steps=STEPS, plateau_samples=12):
    observations = tuple(make_observation(index, step) for index, step in enumerate(steps))
    samples, points = [], []
    for step in observations:
        for second in range(plateau_samples):
            at = step.plateau_started_at + (second + 0.5) * PLATEAU_S / plateau_samples
            samples.append(make_sample(len(samples), at, step.load))
            points.append(
                LoadPoint(
                    at=at,
                    index=step.index,
                    phase="plateau",
                    users=step.users,
                    open_connections=step.step.connections,
                    deliveries_per_s=step.load.deliveries_per_s,
                    requests_per_s=step.load.requests_per_s,
                    failures=0,
                )
            )
    ended_at = STARTED_AT + STEP_S * len(steps)
    return RunRecord(
        manifest=make_manifest(tuple(steps)),
        steps=observations,
        samples=tuple(samples),
        histograms={},
        events=(RunEvent(at=ended_at, kind="finished", detail={"steps": len(steps)}),),
        missing=(),
        points=tuple(points),
    )


def make_manifest(steps):
    return RunManifest(
        format_version=1,
        product_version="0.1.0",
        run="20260101-000000-venue",
        started_at=STARTED_AT,
        target=TargetSpec.from_document(
            {
                "name": "venue-1",
                "host": "127.0.0.1",
                "port": 8080,
                "limits": {"descriptors": {"value": 25_000, "source": "LimitNOFILE in the unit"}},
            }
        ),
        profile={"name": "safe", "kind": "safe"},
        steps=steps,
        audited_bound=19_948,
        audited_by="descriptors",
        agent=AgentInfo(
            agent_version="0.1.0",
            host="venue-host",
            kernel="6.8.0",
            cores=8,
            memory_bytes=16 * 1024**3,
            boot_id="b00t",
            target_name="venue",
            target_pids=(4242, 4243),
            target_started_at=STARTED_AT - 3600,
            limits=tuple(make_limit(resource) for resource in PLANTED),
            now=STARTED_AT + OFFSET_S,
        ),
        clock_offset=ClockOffset(offset_s=OFFSET_S, error_s=0.0004),
        generator={"host": "generator-host", "workers": 2},
        same_host=False,
    )
