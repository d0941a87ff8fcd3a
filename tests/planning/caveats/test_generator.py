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


@pytest.mark.parametrize(("void", "is_trusted"), [(4, True), (5, False)])
def test_half_of_the_steps_may_be_void(steps, void, is_trusted):
    spoiled = [replace(step, void="late" if n < void else None) for n, step in enumerate(steps[:8])]

    assert generator_verdict(spoiled).is_trustworthy is is_trusted


def test_what_was_not_read_is_not_near_a_limit(steps):
    assert not is_near_limit(generator_verdict([]))
    assert not is_near_limit(
        generator_verdict(with_health(steps, 4, lag_p95_s=0.01, cpu_ratio=0.8))
    )


def test_one_step_that_nobody_watched_spoils_the_trust(steps):
    verdict = generator_verdict([*steps[:-1], replace(steps[-1], generator=None)])

    assert not verdict.is_trustworthy
    assert verdict.statement == "Generator health was not recorded on 1 of 9 usable steps."


def test_each_verdict_is_said_with_its_numbers(steps):
    void = [replace(step, void="late") for step in steps]

    assert generator_verdict(void).statement.startswith("No usable step: of 9 steps, 9 void")
    assert generator_verdict(steps).statement.startswith("Healthy on 9 of 9 usable steps: ")
    assert generator_verdict([void[0], *steps[1:]]).statement.startswith("1 of 9 steps are void")
    assert "saturated on 6 of 9 steps" in generator_verdict([*void[:6], *steps[6:]]).statement
    worst = with_health(with_health(steps, 2, lag_p95_s=0.005), 3, cpu_ratio=0.5)
    assert "p95 ≤ 5 ms, busiest worker at 50 % CPU" in generator_verdict(worst).statement
