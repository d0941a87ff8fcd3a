import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.plan import UnitCost, Wall
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import RunManifest
from capacity.domain.sample import AgentInfo
from capacity.domain.target import TargetSpec
from capacity.recording.history_row import fingerprint_of, unit_costs_of

plan_of = runpy.run_path(str(Path(__file__).parents[1] / "bare_records.py"))["plan_of"]


def manifest(**changes):
    agent = AgentInfo(
        agent_version="0.1.0",
        host="db7",
        kernel="6.1",
        cores=2,
        memory_bytes=4 << 30,
        boot_id="one",
        target_name="nginx",
        target_pids=(10, 11),
        target_started_at=1.0,
        limits=(),
        now=5.0,
    )
    known = {
        "format_version": 1,
        "product_version": "0.1.0",
        "run": "one",
        "started_at": 3.0,
        "target": TargetSpec.from_document({"name": "demo", "port": 8080}),
        "profile": {"kind": "safe"},
        "steps": (),
        "audited_bound": 100,
        "audited_by": "descriptors",
        "agent": agent,
        "clock_offset": None,
        "generator": {"versions": {"locust": "2.47"}},
        "same_host": True,
    }
    return RunManifest(**{**known, **changes})


def test_the_next_night_on_the_same_target_has_the_same_fingerprint():
    tonight = manifest()
    restarted = replace(tonight.agent, boot_id="two", target_pids=(99,), now=9.0, kernel="6.2")
    tomorrow = replace(tonight, run="two", started_at=9.0, agent=restarted, audited_bound=99)

    assert fingerprint_of(tomorrow) == fingerprint_of(tonight)


@pytest.mark.parametrize(
    "changes",
    [
        {"target": TargetSpec.from_document({"name": "demo", "port": 8081})},
        {"profile": {"kind": "ramp"}},
        {"product_version": "0.2.0"},
        {"generator": {"versions": {"locust": "2.48"}}},
        {"agent": None},
        {"agent": replace(manifest().agent, host="db8")},
        {"agent": replace(manifest().agent, cores=4)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_run_under_other_conditions_has_another_fingerprint(changes):
    assert fingerprint_of(manifest(**changes)) != fingerprint_of(manifest())


def declaring(descriptors):
    limits = {"descriptors": {"value": descriptors, "source": "the unit"}}
    return TargetSpec.from_document({"name": "demo", "port": 8080, "limits": limits})


def test_declared_limits_make_no_other_fingerprint_as_they_are_compared_themselves():
    declared = manifest(target=declaring(5))
    others = manifest(target=declaring(7))

    assert fingerprint_of(declared) == fingerprint_of(others)


def test_unit_costs_are_kept_for_each_wall():
    cost = UnitCost(
        resource=Resource.DESCRIPTORS,
        baseline=Estimate.exactly(10.0),
        per_connection=Estimate(low=0.9, mid=1.0, high=1.1, confidence=0.9),
        per_delivery_per_s=Estimate.exactly(0.0),
        per_request_per_s=Estimate.exactly(0.5),
        separated=("connections",),
        snapped=True,
        residual_ratio=0.01,
        windows=8,
    )
    wall = Wall(
        resource=Resource.DESCRIPTORS,
        limit=Limit(
            resource=Resource.DESCRIPTORS,
            state=LimitState.KNOWN,
            value=600.0,
            scope="process",
            source="/proc/1/limits",
        ),
        cost=cost,
        ceiling=Estimate.exactly(590.0),
        used_at_baseline=10.0,
        used_at_highest=110.0,
        binding_probability=1.0,
        gain=None,
        remedy="raise it",
    )
    plan = plan_of(ladder=(wall,))

    assert unit_costs_of(plan)["descriptors"] == {
        "unit": "descriptors",
        "limit": 600.0,
        "limit_source": "/proc/1/limits",
        "ceiling": 590.0,
        "per_connection_along_mix": 1.0,
        "baseline": {"low": 10.0, "mid": 10.0, "high": 10.0, "confidence": 1.0},
        "per_connection": {"low": 0.9, "mid": 1.0, "high": 1.1, "confidence": 0.9},
        "per_delivery_per_s": {"low": 0.0, "mid": 0.0, "high": 0.0, "confidence": 1.0},
        "per_request_per_s": {"low": 0.5, "mid": 0.5, "high": 0.5, "confidence": 1.0},
        "per_handshake_per_s": {"low": 0.0, "mid": 0.0, "high": 0.0, "confidence": 0.0},
    }
