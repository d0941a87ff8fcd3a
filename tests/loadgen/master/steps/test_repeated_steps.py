"""Of a load that is held again and again the newest steps are enough for a plan on the way."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.plan import CapacityPlan
from capacity.loadgen.master.steps.repeated_steps import different, forget_samples, outdated
from capacity.planning.plan import plan

NEWEST_OF_A_LOAD = 3

EXAMPLE = runpy.run_path(str(Path(__file__).parents[3] / "reporting" / "example_run.py"))


@pytest.fixture(scope="module")
def record():
    return EXAMPLE["make_record"]()


def alike(record, count):
    """Return steps of one load, ten seconds each, numbered from 0."""
    return [replace(record.steps[-1], index=n, started_at=10.0 * n) for n in range(count)]


def sampled(record, seconds):
    return [replace(record.samples[0], seq=n, at=float(n)) for n in range(seconds)]


def test_older_steps_of_a_load_are_outdated_by_newer_ones(record):
    assert {1, 2} == outdated(alike(record, 3 + NEWEST_OF_A_LOAD))


def test_enough_and_not_one_step_more_stays(record):
    assert set() == outdated(alike(record, 1 + NEWEST_OF_A_LOAD))
    assert {1} == outdated(alike(record, 2 + NEWEST_OF_A_LOAD))


def test_steps_of_different_loads_stay_however_many(record):
    steps = [
        replace(step, step=replace(step.step, connections=n))
        for n, step in enumerate(alike(record, 50))
    ]

    assert set() == outdated(steps)


def test_samples_of_steps_that_are_gone_give_way_and_the_others_keep_their_places(record):
    steps, samples = alike(record, 4), sampled(record, 45)
    before = list(samples)
    forget_samples(samples, steps, {1}, offset_s=0.0)

    assert len(before) == len(samples)
    assert before[:10] + before[20:] == samples[:10] + samples[20:]
    assert {id(before[9])} == {id(sample) for sample in samples[10:20]}
    assert (*before[:10], *before[20:]) == different(samples)


def test_samples_of_any_step_that_is_gone_give_way(record):
    samples = sampled(record, 55)
    forget_samples(samples, alike(record, 5), {1, 3}, offset_s=0.0)

    assert [*range(10), *range(20, 30), *range(40, 55)] == [each.seq for each in different(samples)]


def test_the_clock_of_the_samples_is_minded(record):
    samples = sampled(record, 45)
    forget_samples(samples, alike(record, 4), {1}, offset_s=5.0)

    assert [*range(15), *range(25, 45)] == [sample.seq for sample in different(samples)]


def test_what_was_forgotten_once_is_not_in_the_way_of_the_next(record):
    steps, samples = alike(record, 5), sampled(record, 55)
    forget_samples(samples, steps, {1}, offset_s=0.0)
    forget_samples(samples, [step for step in steps if step.index != 1], {2}, offset_s=0.0)

    assert [*range(10), *range(30, 55)] == [sample.seq for sample in different(samples)]


def test_the_first_sample_stays_as_what_is_counted_is_counted_from_it(record):
    samples = sampled(record, 15)
    forget_samples(samples, alike(record, 2), {0}, offset_s=0.0)

    assert [0, *range(10, 15)] == [sample.seq for sample in different(samples)]


def test_a_plan_is_made_from_what_is_left(record):
    gone = {record.steps[2].index}
    samples = list(record.samples)
    offset = record.manifest.clock_offset
    forget_samples(samples, record.steps, gone, offset.offset_s if offset else 0.0)
    steps = tuple(step for step in record.steps if step.index not in gone)
    answer = plan(replace(record, steps=steps, samples=different(samples)))

    assert len(different(samples)) < len(record.samples)
    assert isinstance(answer, CapacityPlan)
