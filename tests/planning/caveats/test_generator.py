from dataclasses import replace

import pytest

from capacity.planning.caveats.generator import generator_verdict, is_near_limit


@pytest.fixture(scope="module")
def steps(venue):
    return venue.record().steps


def with_health(steps, index, **readings):
    return [
        replace(step, generator=replace(step.generator, **readings))
        if step.index == index
        else step
        for step in steps
    ]


def test_a_generator_with_room_is_trustworthy(steps):
    verdict = generator_verdict(steps)

    assert verdict.is_trustworthy
    assert not is_near_limit(verdict)
    assert (verdict.worst_lag_p95_s, verdict.worst_cpu_ratio) == (0.002, 0.3)
    assert "scheduling lag p95 ≤ 2 ms" in verdict.statement


@pytest.mark.parametrize("reading", [{"lag_p95_s": 0.011}, {"cpu_ratio": 0.81}])
def test_the_worst_used_step_decides_what_is_near(steps, reading):

    assert is_near_limit(generator_verdict(with_health(steps, 4, **reading)))


def test_a_void_step_is_named_but_its_readings_are_not_used(steps):
    late = with_health(steps, 4, lag_p95_s=0.5)
    late[4] = replace(late[4], void="late")
    verdict = generator_verdict(late)

    assert verdict.is_trustworthy
    assert verdict.void_steps == (4,)
    assert verdict.worst_lag_p95_s == 0.002


def test_more_than_half_void_is_not_trustworthy(steps):
    verdict = generator_verdict([replace(s, void="late" if s.index < 5 else None) for s in steps])

    assert not verdict.is_trustworthy
    assert "5 of 9" in verdict.statement


def test_a_generator_that_nobody_watched_is_not_trustworthy(steps):
    verdict = generator_verdict([replace(step, generator=None) for step in steps])

    assert not verdict.is_trustworthy
    assert verdict.worst_lag_p95_s is None


def test_no_steps_give_no_trust():

    assert not generator_verdict([]).is_trustworthy
