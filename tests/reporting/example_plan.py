"""The plan that follows from the planted costs of example_run.py, and a run that has none."""

import runpy
from pathlib import Path

from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan, Excuse, GeneratorVerdict, NoCeiling, UnitCost, Wall
from capacity.domain.resources import Limit, LimitState, Resource

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_run.py")))
PLANTED, STEPS = EXAMPLE["PLANTED"], EXAMPLE["STEPS"]
load_of, make_limit, use = EXAMPLE["load_of"], EXAMPLE["make_limit"], EXAMPLE["use"]
MIX = LoadVector(
    connections=1.0,
    deliveries_per_s=2.0,
    delivered_bytes_per_s=420.0,
    requests_per_s=0.01,
    handshakes_per_s=0.0,
)


def make_wall(resource, gain, probability, spread):
    limit, baseline, idle, delivery, request = PLANTED[resource]
    marginal = idle + delivery * MIX.deliveries_per_s + request * MIX.requests_per_s
    ceiling = (limit - baseline) / marginal
    highest = load_of(STEPS[-1])
    return Wall(
        resource=resource,
        limit=make_limit(resource),
        cost=UnitCost(
            resource=resource,
            baseline=Estimate.exactly(baseline),
            per_connection=Estimate.exactly(idle),
            per_delivery_per_s=Estimate.exactly(delivery),
            per_request_per_s=Estimate.exactly(request),
            separated=("connections", "deliveries_per_s", "requests_per_s"),
            snapped=spread == 0,
            residual_ratio=0.01,
            windows=27,
        ),
        ceiling=Estimate(
            low=ceiling / (1 + spread),
            mid=ceiling,
            high=ceiling * (1 + spread),
            confidence=1.0 if spread == 0 else 0.9,
        ),
        used_at_baseline=baseline,
        used_at_highest=use(resource, highest),
        binding_probability=probability,
        gain=gain,
        remedy=f"raise {resource.value} on the target (LimitNOFILE=)",
    )


def make_plan():
    ladder = (
        make_wall(Resource.DESCRIPTORS, 8_551.0, 0.97, 0.0),
        make_wall(Resource.MEMORY, 3_765.0, 0.03, 0.08),
        make_wall(Resource.EVENT_LOOP, 8_966_000.0, 0.0, 0.18),
        make_wall(Resource.FILE_TABLE, None, 0.0, 0.0),
    )
    return CapacityPlan(
        run="20260101-000000-venue",
        capacity=Estimate(low=19_310.0, mid=19_948.0, high=19_948.0, confidence=0.9),
        safe_capacity=19_208,
        binding=Resource.DESCRIPTORS,
        mix=MIX,
        ladder=ladder,
        no_ceiling=(
            NoCeiling(
                resource=Resource.CONNTRACK,
                reason="nf_conntrack is not loaded",
                limit=None,
            ),
            NoCeiling(
                resource=Resource.CPU,
                reason="no quota is set",
                limit=Limit(
                    resource=Resource.CPU,
                    state=LimitState.UNLIMITED,
                    value=None,
                    scope="cgroup",
                    source="/sys/fs/cgroup/cpu.max",
                ),
            ),
        ),
        highest_connections=4_987,
        extrapolation_ratio=4.0,
        condition_number=6.2,
        generator=GeneratorVerdict(
            is_trustworthy=True,
            statement="The worst timer lag was 2.1 ms and the busiest worker took 0.41 of a core.",
            worst_lag_p95_s=0.0021,
            worst_cpu_ratio=0.41,
            void_steps=(),
        ),
        doubts=(
            Doubt(
                kind=DoubtKind.UNKNOWN_LIMIT,
                statement="The limit of tcp_memory could not be read.",
                remedy="Run the agent in the host's network namespace.",
            ),
        ),
    )


def make_excuse():
    return Excuse(
        run="20260101-000000-venue",
        reason="all 9 steps are void: the generator's timers were 80 ms late",
        remedy="add a worker or move the generator to a larger machine",
        generator=GeneratorVerdict(
            is_trustworthy=False,
            statement="The worst timer lag was 80 ms.",
            worst_lag_p95_s=0.08,
            worst_cpu_ratio=0.99,
            void_steps=(0, 1, 2),
        ),
        doubts=(),
    )
