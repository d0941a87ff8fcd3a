"""The least of a run and of a plan, where a test needs one and does not care what is in it."""

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadStep, LoadVector
from capacity.domain.observation import StepObservation
from capacity.domain.plan import CapacityPlan, GeneratorVerdict
from capacity.domain.resources import Resource
from capacity.domain.run import RunManifest
from capacity.domain.target import TargetSpec


@pytest.fixture
def bare_manifest():
    return RunManifest(
        format_version=1,
        product_version="0.1.0",
        run="any",
        started_at=1.0,
        target=TargetSpec.from_document({"name": "here", "limits": {}}),
        profile={"name": "tiny"},
        steps=(),
        audited_bound=None,
        audited_by=None,
        agent=None,
        clock_offset=None,
        generator={},
        same_host=True,
    )


@pytest.fixture
def bare_step():
    return StepObservation(
        index=0,
        step=LoadStep(
            connections=40,
            subscriptions_per_connection=1,
            requests_per_s=0.0,
            connects_per_s=10.0,
            ramp_timeout_s=9.0,
            settle_s=1.0,
            plateau_s=1.0,
            is_mix=True,
        ),
        started_at=1.0,
        plateau_started_at=2.0,
        plateau_ended_at=3.0,
        load=None,
        users=1,
        connections_peak=40,
        connects=40,
        failures={},
        lost=0,
        gaps=0,
        unmatched=0,
        delivery_delay=None,
        request_latency=None,
        handshake_time=None,
        generator=None,
        void=None,
    )


@pytest.fixture
def bare_plan():
    return CapacityPlan(
        run="any",
        capacity=Estimate(low=580.0, mid=590.0, high=600.0, confidence=0.9),
        safe_capacity=582,
        binding=Resource.DESCRIPTORS,
        mix=LoadVector(
            connections=1.0,
            deliveries_per_s=1.0,
            delivered_bytes_per_s=30.0,
            requests_per_s=0.0,
            handshakes_per_s=0.0,
        ),
        ladder=(),
        no_ceiling=(),
        highest_connections=118,
        extrapolation_ratio=5.0,
        condition_number=2.0,
        generator=GeneratorVerdict(
            is_trustworthy=True,
            statement="The generator was idle.",
            worst_lag_p95_s=0.001,
            worst_cpu_ratio=0.1,
            void_steps=(),
        ),
        doubts=(),
    )
