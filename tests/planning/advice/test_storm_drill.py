"""Drills beside their forecast, from the recorded example and drills that are planted behind it."""

import json
import runpy
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.domain.answers.storm_drill import DialAttempt, Retry
from capacity.domain.caveats import SATURATED_LAG_S
from capacity.domain.observation import Quantiles
from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Resource
from capacity.domain.run import ClockOffset
from capacity.notebook import plan
from capacity.planning.advice.advice import advice
from capacity.planning.advice.other_hosts import host_walls
from capacity.planning.advice.storm_drill import (
    _are_slow,
    _estimate,
    _of_wall,
    _peaks,
    _samples_of,
    _until_cut,
    _wait_s,
    drill_outcomes,
)
from capacity.recording.run_directory import load

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_drill.py")))
recorded_with = EXAMPLE["recorded_with"]
JITTER = Retry(policy="full_jitter", waits_s=((0.0, 4.0), (0.1, 8.0)))


@pytest.fixture(scope="module")
def answer():
    answer = plan(load(EXAMPLE["RUN"]))
    assert isinstance(answer, CapacityPlan)
    return answer


def test_a_run_without_drills_has_no_outcomes(answer):
    assert () == drill_outcomes(load(EXAMPLE["RUN"]), answer)


def test_a_drill_is_told_with_its_times_and_what_let_the_clients_in(answer):
    (outcome,) = drill_outcomes(recorded_with({}), answer)

    assert [0.5, 0.95, 0.99] == [time.share_ratio for time in outcome.times]
    assert outcome.times[1].measured_s == pytest.approx(0.80, abs=0.01)
    assert outcome.admission.per_s == pytest.approx(100.0, rel=0.03)
    assert (17, 100, 100) == (outcome.admission.burst, outcome.cut, outcome.restored)


def test_jitter_is_foretold_as_far_as_it_spreads(answer):
    (outcome,) = drill_outcomes(recorded_with({"habit": JITTER}), answer)
    half, most, _last = (time.foretold_s for time in outcome.times)

    assert half.mid == pytest.approx(2.0, rel=0.2)
    assert most.mid == pytest.approx(3.8, rel=0.15)
    assert half.low <= half.mid <= half.high


def test_a_later_drill_is_foretold_with_what_an_earlier_one_met(answer):
    first, second = drill_outcomes(recorded_with({}, {}), answer)

    assert first.served_per_s > 200.0
    assert second.served_per_s == pytest.approx(100.0, rel=0.03)
    assert second.times[1].foretold_s.mid == pytest.approx(second.times[1].measured_s, rel=0.25)


def test_a_declared_rate_bounds_the_forecast(answer):
    record = recorded_with({})
    manifest = record.manifest
    target = replace(manifest.target, arrival_limit_per_s=20.0)
    declared = replace(record, manifest=replace(manifest, target=target))
    (outcome,) = drill_outcomes(declared, answer)

    assert (20.0, None) == (outcome.served_per_s, outcome.bound_by)
    assert outcome.times[1].foretold_s.mid == pytest.approx(94 / 20.0, rel=0.05)


def test_clients_that_never_came_back_are_no_time():
    record = recorded_with({"restored_s": (0.1,) * 94, "aborted": "the limit guard"})
    (outcome,) = drill_outcomes(record, plan(record))

    assert outcome.times[0].measured_s == 0.1
    assert outcome.times[1].measured_s is None
    assert (94, "the limit guard") == (outcome.restored, outcome.aborted)


@pytest.mark.parametrize(
    ("lag_s", "expected"), [(SATURATED_LAG_S, False), (0.11, True), (None, False)]
)
def test_a_generator_that_was_late_itself_is_told(answer, lag_s, expected):
    (outcome,) = drill_outcomes(recorded_with({"lag_p95_s": lag_s}), answer)

    assert expected is outcome.is_of_generator


def test_failed_attempts_are_counted_by_reason(answer):
    failed = (DialAttempt(began_s=0.0, ended_s=0.1, outcome="generator_ports"),) * 3
    (outcome,) = drill_outcomes(recorded_with({"attempts": failed}), answer)

    assert {"generator_ports": 3} == outcome.refused
    assert outcome.is_of_generator


def test_the_advice_of_a_plan_has_the_drills_and_can_be_written(answer):
    record = recorded_with({})
    drills = advice(record, answer).drills

    assert drills == drill_outcomes(record, answer)
    assert json.dumps(asdict(drills[0]), default=str)


@pytest.mark.parametrize(
    ("usual", "fast", "slow", "expected"),
    [
        (range(1, 41), [10.0], [30.0], (3.0, 20.5, 38.0)),
        ([4.0, 6.0, 5.0], [1.0], [9.0], (1.0, 5.0, 9.0)),
        ([4.0, 5.0, 6.0], [7.0], [2.0], (4.0, 5.0, 6.0)),
        ([4.0, 5.0, 6.0], [8.0, 1.0, 2.0], [9.0, None, 1.0], (2.0, 5.0, 9.0)),
        ([1.0, 2.0, None], [2.0], [2.0], (1.0, 2.0, float("inf"))),
    ],
)
def test_a_forecast_holds_nine_in_ten_repetitions_and_both_ends_of_the_rate(
    usual, fast, slow, expected
):
    found = _estimate(usual, fast, slow)

    assert (found.low, found.mid, found.high) == expected
    assert found.confidence == 0.9


def test_what_mostly_never_comes_back_has_no_forecast():
    assert _estimate([1.0, None, None], [1.0], [1.0]) is None


@pytest.mark.parametrize(("failed", "wait_s"), [(0, 1.0), (1, 2.075), (7, 2.075)])
def test_a_client_waits_as_its_habit_says_and_at_last_as_the_last_entry(failed, wait_s):
    assert _wait_s(JITTER, failed, 0.25) == pytest.approx(wait_s)


def test_peaks_are_of_what_was_read_before_and_during():
    used = [
        {Resource.MEMORY: 10.0, Resource.DESCRIPTORS: 5.0, Resource.THREADS: 1.0},
        {Resource.MEMORY: 15.0, Resource.THREADS: float("nan")},
        {Resource.MEMORY: 12.0, Resource.THREADS: 2.0},
    ]
    before, *during = (SimpleNamespace(used=each) for each in used)

    assert _peaks(before, during) == {Resource.MEMORY: (10.0, 15.0)}
    assert _peaks(SimpleNamespace(used=used[1]), during) == {Resource.MEMORY: (15.0, 15.0)}
    assert _peaks(None, during) == {}


def recorded_elsewhere(off_s):
    """Return a run with a drill whose agent's clock is ahead of the generator's by that much."""
    record = recorded_with({})
    offset = ClockOffset(offset_s=off_s, error_s=0.0)
    return replace(record, manifest=replace(record.manifest, clock_offset=offset))


def test_samples_of_a_drill_lie_behind_its_cut_and_up_to_two_seconds_behind_its_end():
    off_s = 100.0
    record = recorded_elsewhere(off_s)
    [drill] = record.storms
    after_s = (-1.0, 0.0, 0.01, 5.99, 6.01)
    like = record.samples[-1]
    samples = tuple(replace(like, at=drill.began_at + off_s + each) for each in after_s)
    earlier, during = _samples_of(replace(record, samples=samples), drill)

    assert (earlier, during) == (samples[1], list(samples[2:4]))
    assert _samples_of(replace(record, samples=()), drill) == (None, [])


def test_a_forecast_knows_nothing_from_the_cut_on():
    off_s = 100.0
    record = recorded_elsewhere(off_s)
    [drill] = record.storms
    sample, point = record.samples[-1], record.points[-1]
    samples = tuple(replace(sample, at=drill.began_at + off_s + each) for each in (-0.1, 0.0))
    points = tuple(replace(point, at=drill.began_at + each) for each in (-0.1, 0.0))
    known = _until_cut(replace(record, samples=samples, points=points))

    assert (known.samples, known.points, known.storms) == (samples[:1], points[:1], ())


def quick(**changes):
    times = {"count": 9, "p50_s": 0.01, "p95_s": 0.02, "p99_s": 0.03, "max_s": 0.04}
    return Quantiles(**{**times, **changes})


@pytest.mark.parametrize(("p99_s", "is_slow"), [(0.1, False), (0.101, True), (None, False)])
def test_handshakes_are_slow_where_one_in_a_hundred_is(p99_s, is_slow):
    times = [None, None if p99_s is None else quick(p99_s=p99_s)]
    steps = [SimpleNamespace(handshake_time=each) for each in times]

    assert _are_slow(SimpleNamespace(steps=steps)) is is_slow


def test_the_rate_is_what_the_load_leaves_over_the_cost_of_an_arrival(answer):
    wall = host_walls(answer, answer.mix, None)[0]
    taken = SimpleNamespace(low=0.0, mid=0.002, high=0.004)
    cost = SimpleNamespace(cpu_s={wall.resource: taken})
    rates = _of_wall(answer, cost, wall.resource, 100)
    spare = wall.limit - wall.baseline - 100 * wall.marginal

    assert (rates.low, rates.mid, rates.high) == pytest.approx(
        (spare / 0.004, spare / 0.002, float("inf"))
    )


def test_of_two_clients_the_second_one_waits_a_turn(answer):
    record = recorded_with({"cut": 2, "restored_s": (0.0, 1.0), "attempts": ()})
    target = replace(record.manifest.target, arrival_limit_per_s=0.5)
    declared = replace(record, manifest=replace(record.manifest, target=target))
    (outcome,) = drill_outcomes(declared, answer)

    assert outcome.times[2].foretold_s.mid == pytest.approx(2.0, abs=0.3)
    assert outcome.times[0].foretold_s.mid == pytest.approx(0.0, abs=0.3)


def test_a_drill_that_cut_nobody_has_no_forecast(answer):
    (outcome,) = drill_outcomes(recorded_with({"cut": 0, "restored_s": (), "attempts": ()}), answer)

    assert [time.foretold_s for time in outcome.times] == [None] * 3
