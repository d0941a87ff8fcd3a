import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.profile import (
    START,
    Mix,
    Pace,
    Phase,
    Position,
    StepNotReachedError,
    advance,
    breaking_steps,
    expected_duration_s,
    ramp_steps,
    safe_steps,
)

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.01, poll_interval_s=1.0)
PACE = Pace(connects_per_s=100, ramp_timeout_s=10, settle_s=2, plateau_s=5)


@given(st.integers(4, 100_000), st.floats(0.01, 0.25), st.integers(1, 8))
def test_a_safe_profile_never_exceeds_its_fraction_of_the_bound(bound, fraction, levels):
    steps = safe_steps(bound=bound, fraction=fraction, levels=levels, mix=MIX, pace=PACE)

    assert max(step.connections + step.requests_per_s for step in steps) <= max(
        1.01, bound * fraction
    )


def test_a_safe_profile_crosses_subscriptions_and_polls():
    steps = safe_steps(bound=4000, fraction=0.25, levels=4, mix=MIX, pace=PACE)
    settings = {(step.subscriptions_per_connection > 0, step.requests_per_s > 0) for step in steps}

    assert {(False, False), (False, True), (True, False), (True, True)} == settings


def test_a_safe_profile_begins_without_load_and_ends_with_the_full_mix():
    steps = safe_steps(bound=4000, fraction=0.25, levels=4, mix=MIX, pace=PACE)

    assert 0 == steps[0].connections
    assert steps[-1].is_mix
    assert (990, 9.9) == (steps[-1].connections, steps[-1].requests_per_s)


def test_a_breaking_profile_ends_exactly_at_its_limit():
    steps = breaking_steps(start=100, increment=30, limit=200, mix=MIX, pace=PACE)

    assert [100, 130, 160, 190, 200] == [step.connections for step in steps]


TWO_STEPS = ramp_steps(levels=[100], mix=MIX, pace=PACE)
AT_RAMP = Position(index=1, phase=Phase.RAMP, since_s=10)


@pytest.mark.parametrize(
    ("position", "elapsed_s", "open_connections", "expected"),
    [
        (START, 0.1, 0, Position(index=0, phase=Phase.SETTLE, since_s=0.1)),
        (AT_RAMP, 11, 99, AT_RAMP),
        (AT_RAMP, 11, 100, Position(index=1, phase=Phase.SETTLE, since_s=11)),
        (
            Position(index=1, phase=Phase.SETTLE, since_s=11),
            13,
            100,
            Position(index=1, phase=Phase.PLATEAU, since_s=13),
        ),
        (
            Position(index=0, phase=Phase.PLATEAU, since_s=2),
            7,
            0,
            Position(index=1, phase=Phase.RAMP, since_s=7),
        ),
        (Position(index=1, phase=Phase.PLATEAU, since_s=13), 18, 100, None),
    ],
    ids=["baseline", "one missing", "all open", "settled", "next step", "last plateau over"],
)
def test_a_run_moves_on_when_the_phase_is_done(position, elapsed_s, open_connections, expected):
    assert expected == advance(TWO_STEPS, position, elapsed_s, open_connections)


def test_a_ramp_that_lasts_too_long_ends_the_run():
    with pytest.raises(StepNotReachedError):
        advance(TWO_STEPS, AT_RAMP, 20.1, 99)


def test_a_ramp_down_ends_when_few_enough_are_left():
    steps = (TWO_STEPS[1], TWO_STEPS[0])
    on_the_way = Position(index=1, phase=Phase.RAMP, since_s=20)

    assert on_the_way == advance(steps, on_the_way, 21, 5)
    assert Phase.SETTLE is advance(steps, on_the_way, 21, 0).phase


def test_the_expected_duration_adds_ramps_and_holds():
    assert 2 + 5 + 1 + 2 + 5 == expected_duration_s(TWO_STEPS)
