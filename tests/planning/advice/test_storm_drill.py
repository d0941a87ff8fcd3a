"""Drills beside their forecast, from the recorded example and drills that are planted behind it."""

import json
import runpy
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from capacity.domain.answers.storm_drill import DialAttempt, Retry
from capacity.domain.caveats import SATURATED_LAG_S
from capacity.domain.plan import CapacityPlan
from capacity.notebook import plan
from capacity.planning.advice.advice import advice
from capacity.planning.advice.storm_drill import drill_outcomes
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
