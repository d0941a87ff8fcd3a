"""Damaged and odd records: a plan or an excuse comes of them, without a number made up."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Resource
from capacity.planning.evidence.plausible import LARGEST, is_plausible, is_plausible_load
from capacity.planning.evidence.windows import DESCRIPTOR_LIMIT
from capacity.planning.live import live_rows
from capacity.planning.plan import plan

BAD = (math.nan, math.inf, -math.inf, 0.0, -5.0, 1e308, -1e308, 1e-320, 1e18)


@pytest.mark.parametrize("value", [0.0, 1e-320, 1.0, float(2**63 - 1), LARGEST])
def test_what_the_kernel_can_count_is_plausible(value):

    assert is_plausible(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1e-9, 1e19])
def test_what_it_cannot_is_not(value):

    assert not is_plausible(value)


@pytest.mark.parametrize("part", ["connections", "deliveries_per_s", "requests_per_s"])
def test_a_load_is_as_plausible_as_its_parts(venue, part):
    load = venue.record().steps[-1].load

    assert is_plausible_load(load)
    assert not is_plausible_load(replace(load, **{part: math.nan}))


def test_less_than_a_trace_of_a_connection_is_no_load(venue):
    load = venue.record().steps[-1].load

    assert not is_plausible_load(replace(load, connections=1e-320))
    assert not is_plausible_load(replace(load, connections=0.9e-9))
    assert is_plausible_load(replace(load, connections=1.1e-9))
    assert is_plausible_load(replace(load, connections=0.0))


def damaged_sample(sample, chance):
    return chance.choice(
        [
            replace(sample, used={resource: chance.choice(BAD) for resource in sample.used}),
            replace(sample, used={}),
            replace(sample, at=chance.choice(BAD)),
            replace(sample, interval_s=chance.choice(BAD)),
            replace(sample, target_started_at=chance.choice((None, 1.0, *BAD))),
            replace(sample, gauges={DESCRIPTOR_LIMIT: chance.choice(BAD)}),
        ]
    )


def damaged_step(step, chance):
    part = chance.choice(["connections", "deliveries_per_s", "requests_per_s"])
    return chance.choice(
        [
            replace(step, load=None),
            replace(step, load=replace(step.load, **{part: chance.choice(BAD)})),
            replace(step, void="40 ms late"),
            replace(step, plateau_started_at=None),
            replace(step, plateau_ended_at=chance.choice((step.started_at, *BAD))),
            replace(step, step=replace(step.step, connections=100)),
            replace(
                step,
                generator=replace(
                    step.generator, lag_p95_s=chance.choice(BAD), cpu_ratio=chance.choice(BAD)
                ),
            ),
        ]
    )


def damaged_manifest(manifest, chance):
    agent, clock = manifest.agent, manifest.clock_offset
    limits = tuple(replace(limit, value=chance.choice(BAD)) for limit in agent.limits)
    offsets = replace(clock, offset_s=chance.choice(BAD), error_s=chance.choice(BAD))
    return chance.choice(
        [
            replace(manifest, agent=replace(agent, limits=limits)),
            replace(manifest, clock_offset=offsets),
            manifest,
        ]
    )


def damaged(record, chance):
    samples, steps = chance.random() ** 3, chance.random() * 0.5
    return replace(
        record,
        manifest=damaged_manifest(record.manifest, chance),
        samples=tuple(
            damaged_sample(sample, chance) if chance.random() < samples else sample
            for sample in chance.sample(record.samples, len(record.samples))
        ),
        steps=tuple(
            damaged_step(step, chance) if chance.random() < steps else step
            for step in record.steps[: chance.choice([1, 2, 3, 9, 9, 9])]
        ),
    )


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_damage_gives_a_plan_with_real_numbers_or_an_excuse(venue, seed):
    record = damaged(venue.record(), random.Random(seed))
    answer = plan(record)
    rows = live_rows(record.steps, record.samples, record.manifest.agent.limits)

    assert plan(record) == answer
    assert all(row.ceiling is None or math.isfinite(row.ceiling) for row in rows)
    if isinstance(answer, Excuse):
        assert answer.reason
        return
    assert isinstance(answer, CapacityPlan)
    for ceiling in (answer.capacity, *(wall.ceiling for wall in answer.ladder)):
        assert 0.0 <= ceiling.low <= ceiling.mid <= ceiling.high
        assert math.isfinite(ceiling.low)
    assert answer.capacity.is_bounded
    assert math.isfinite(answer.ladder[0].ceiling.mid)
    assert [] == [doubt for doubt in answer.doubts if "nan" in doubt.statement]


def test_connections_that_never_change_are_an_excuse(venue, ramp):
    steps = ramp(100, 100, 100)[1:]

    answer = plan(replace(venue, steps=steps).record())

    assert isinstance(answer, Excuse)
    assert "Only one connection level has samples (100 connections)" in answer.reason


def test_plateaus_that_carried_nothing_are_an_excuse(venue, ramp):
    record = venue.record()
    empty = tuple(replace(s, load=replace(s.load, connections=0.0)) for s in record.steps)

    answer = plan(replace(record, steps=empty))

    assert isinstance(answer, Excuse)
    assert "None of 9 plateaus with samples carried a connection" in answer.reason


def test_steps_without_samples_are_left_out(venue):
    record = venue.record()
    begin = record.steps[4].plateau_started_at
    end = record.steps[4].plateau_ended_at
    kept = tuple(sample for sample in record.samples if not begin <= sample.at <= end)
    answer = plan(replace(record, samples=kept))

    assert answer.capacity.mid == pytest.approx(985, rel=0.001)


def test_a_restart_within_a_plateau_costs_that_plateau_only(venue):
    record = venue.record()
    middle = record.steps[2].plateau_started_at + 6.0
    lived = tuple(
        replace(sample, target_started_at=middle) if sample.at > middle else sample
        for sample in record.samples
    )
    answer = plan(replace(record, samples=lived))

    assert answer.binding is Resource.DESCRIPTORS
    assert answer.capacity.mid == pytest.approx(985, rel=0.001)
