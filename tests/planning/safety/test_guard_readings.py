import runpy
from pathlib import Path

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.safety.guard_readings import guard_readings
from capacity.planning.safety.trip import Bounds

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]

BOUNDS = Bounds(
    used_ratio=0.9,
    throttled_ratio=0.05,
    retransmitted_ratio=0.01,
    memory_pressure_ratio=0.1,
    failed_opens_ratio=0.1,
    lost_ratio=0.05,
)
STEP = {"connections": 100, "lost": 0, "refused": 0, "asked": 100}


def limit(resource, value):
    return Limit(
        resource=resource, state=LimitState.KNOWN, value=value, scope="process", source="/planted"
    )


def sample(seq, used=None, **counters):
    return sample_of(seq, used=used or {}, counters=counters)


def readings(samples=(), limits=(), **step):
    found = guard_readings(samples, limits, BOUNDS, **STEP | step)
    return {reading.guard: reading for reading in found}, [reading.guard for reading in found]


def test_the_fullest_counted_limit_is_shown_against_its_bound():
    used = {Resource.DESCRIPTORS: 450.0, Resource.THREADS: 10.0}
    limits = [limit(Resource.DESCRIPTORS, 1000.0), limit(Resource.THREADS, 100.0)]
    found, order = readings([sample(0, used)], limits)

    assert (0.45, 0.9) == (found["limit"].number, found["limit"].bound)
    assert found["limit"].statement == (
        "file descriptors: 450 descriptors of 1,000 descriptors in use (bound 90 %)"
    )
    assert "limit" == order[0]


def test_what_is_lost_and_refused_is_shown_as_a_share_of_the_step():
    found, order = readings(lost=4, refused=2)

    assert (0.04, 0.02) == (found["loss"].number, found["refusal"].number)
    assert "the target dropped 4 of 100 connections (bound 5 %)" == found["loss"].statement
    assert ["loss", "refusal"] == order


def test_shares_of_counters_are_read_from_the_newest_samples():
    samples = [
        sample(seq, cpu_throttled_periods=float(seq), cpu_periods=100.0 * seq) for seq in range(9)
    ]

    assert pytest.approx(0.01) == readings(samples)[0]["throttling"].number


def test_what_is_not_read_is_not_shown():
    assert ["loss"] == readings(asked=0, connections=0)[1]
    assert "limit" not in readings([sample(0, {Resource.DESCRIPTORS: 1.0})])[0]
    assert "throttling" not in readings([sample(0), sample(1)])[0]


@pytest.mark.parametrize(("began", "ratio"), [(3, 0.0), (4, 0.02)])
def test_the_five_newest_intervals_count(began, ratio):
    samples = [
        sample(seq, cpu_throttled_periods=10.0 * (seq >= began), cpu_periods=100.0 * seq)
        for seq in range(9)
    ]

    assert readings(samples)[0]["throttling"].number == pytest.approx(ratio)


def test_two_samples_tell_a_share_and_a_limit_is_told_from_one():
    pair = [sample(n, cpu_throttled_periods=float(n), cpu_periods=10.0 * n) for n in range(2)]
    used = sample(0, {Resource.DESCRIPTORS: 450.0})

    assert readings(pair)[0]["throttling"].number == pytest.approx(0.1)
    assert "limit" in readings([used], [limit(Resource.DESCRIPTORS, 1000.0)])[1]


def test_a_step_of_nobody_lost_nobody():
    assert readings(connections=0)[0]["loss"].number == 0.0


def test_the_nearest_to_its_bound_comes_first_whatever_its_share():
    used = {Resource.DESCRIPTORS: 450.0}
    order = readings([sample(0, used)], [limit(Resource.DESCRIPTORS, 1000.0)], lost=4)[1]

    assert order[:2] == ["loss", "limit"]


def test_what_is_not_counted_and_has_no_known_limit_fills_nothing():
    used = {Resource.CPU: 1.0, Resource.THREADS: 9.0}
    limits = [limit(Resource.CPU, 1.0), limit(Resource.THREADS, None)]

    assert "limit" not in readings([sample(0, used)], limits)[1]
