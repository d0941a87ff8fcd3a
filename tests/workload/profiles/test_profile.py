from dataclasses import replace
from types import SimpleNamespace

import pytest

from capacity.workload.profiles.profile import (
    START,
    Mix,
    Pace,
    Phase,
    Position,
    StepNotReachedError,
    advance,
    is_way_down,
    mixed_step,
    ramp_of,
    ramp_s,
    ramp_steps,
    resized,
    whole_users,
)

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.01, poll_interval_s=1.0)
PACE = Pace(connects_per_s=100, ramp_timeout_s=10, settle_s=2, plateau_s=5)


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


def test_a_ramp_ends_the_run_when_its_arrivals_and_the_time_out_after_them_are_over():
    arrivals_s, timeout_s = 100 / 100, 10

    assert AT_RAMP == advance(TWO_STEPS, AT_RAMP, 10 + arrivals_s + timeout_s, 99)
    with pytest.raises(StepNotReachedError):
        advance(TWO_STEPS, AT_RAMP, 10 + arrivals_s + timeout_s + 0.1, 99)


def test_a_ramp_in_which_nobody_may_connect_yet_has_that_time_besides():
    held = replace(AT_RAMP, held_s=30)
    over_s = 10 + 30 + 100 / 100 + 10

    assert held == advance(TWO_STEPS, held, over_s, 99)
    with pytest.raises(StepNotReachedError):
        advance(TWO_STEPS, held, over_s + 0.1, 99)


def test_a_ramp_ends_no_sooner_than_all_that_it_changes_is_there():
    waiting = replace(AT_RAMP, least_s=30)

    assert [Phase.RAMP, Phase.SETTLE] == [
        advance(TWO_STEPS, waiting, 10 + elapsed_s, 100, stalled_s=15.0).phase
        for elapsed_s in (29.9, 30)
    ]


@pytest.mark.parametrize(
    ("changes", "held_s", "least_s"),
    [
        ({}, 0.0, 0.0),
        ({"connections": 80}, 0.0, 0.0),
        ({"requests_per_s": 21.0}, 7.0, 7.0),
        ({"requests_per_s": 19.0}, 0.0, 0.0),
        ({"orders_per_s": 1.5}, 0.0, 3.0),
        ({"orders_per_s": 0.5}, 0.0, 0.0),
        ({"subscriptions_per_connection": 0}, 0.0, 5.0),
        ({"subscriptions_per_connection": 0, "connections": 20}, 0.0, 2.5),
        ({"subscriptions_per_connection": 0, "requests_per_s": 21.0}, 7.0, 7.0),
    ],
)
def test_what_a_step_changes_besides_connections_takes_its_time(changes, held_s, least_s):
    first = replace(
        TWO_STEPS[1],
        connections=40,
        subscriptions_per_connection=1,
        requests_per_s=20.0,
        orders_per_s=1.0,
    )
    intervals = SimpleNamespace(poll_interval_s=7.0, order_interval_s=3.0)
    steps = [first, replace(first, **changes)]

    begun = ramp_of(AT_RAMP, steps, intervals, connects_per_s=4.0)
    assert replace(AT_RAMP, held_s=held_s, least_s=least_s) == begun
    begun = ramp_of(AT_RAMP, steps, intervals, connects_per_s=4.0, missing_s=9.0)
    assert (9.0, 9.0) == (begun.held_s, begun.least_s)
    assert 7.0 == ramp_of(START, steps, intervals, connects_per_s=4.0).held_s


def test_a_ramp_down_ends_when_few_enough_are_left():
    steps = (TWO_STEPS[1], TWO_STEPS[0])
    on_the_way = Position(index=1, phase=Phase.RAMP, since_s=20)

    assert on_the_way == advance(steps, on_the_way, 21, 5)
    assert not is_way_down(steps, 0)
    assert is_way_down(steps, 1)
    assert Phase.SETTLE is advance(steps, on_the_way, 21, 0).phase


def test_a_way_down_from_an_overload_ends_when_those_that_stay_are_open():
    steps = [*TWO_STEPS, replace(TWO_STEPS[1], connections=50)]
    relief = Position(index=2, phase=Phase.RAMP, since_s=20)

    assert [Phase.RAMP, Phase.SETTLE, Phase.RAMP] == [
        advance(steps, relief, 21, held).phase for held in (40, 50, 60)
    ]


def test_users_with_several_connections_each_leave_as_a_whole():
    steps = [*TWO_STEPS, replace(TWO_STEPS[1], connections=45)]
    relief = Position(index=2, phase=Phase.RAMP, since_s=20)

    assert Phase.SETTLE is advance(steps, relief, 21, 50, 10).phase


def test_a_ramp_takes_as_long_as_its_connections_at_the_connect_rate():
    assert [0, 1] == [ramp_s(TWO_STEPS, index) for index in (0, 1)]


@pytest.mark.parametrize(("phase", "since_s"), [("ramp", 40), ("settle", 40), ("plateau", 10)])
def test_a_phase_that_begins_again_has_its_whole_time_but_for_a_plateau(phase, since_s):
    position = Position(index=1, phase=Phase(phase), since_s=10)

    assert replace(position, since_s=since_s) == position.begun_again(40)


@pytest.mark.parametrize(
    ("asked", "per_user", "opened"), [(0, 7, 0), (1, 7, 7), (7, 7, 7), (8, 7, 14), (8, 1, 8)]
)
def test_what_a_step_brings_along_goes_by_the_connections_that_whole_users_open(
    asked, per_user, opened
):
    mix = replace(MIX, churn_per_s_per_connection=0.1, orders_per_s_per_connection=0.2)
    step = mixed_step(asked, mix, replace(PACE, connections_per_user=per_user))

    assert (asked, opened) == (step.connections, whole_users(asked, per_user))
    assert pytest.approx([0.01 * opened, 0.1 * opened, 0.2 * opened]) == [
        step.requests_per_s,
        step.churn_per_s,
        step.orders_per_s,
    ]


@pytest.mark.parametrize("per_user", [1, 7, 100])
def test_a_step_that_is_resized_is_the_mix_at_that_count(per_user):
    pace = replace(PACE, connections_per_user=per_user)
    pattern, wanted = mixed_step(41, MIX, pace), mixed_step(9, MIX, pace)
    resized_step = resized(pattern, 9, per_user)

    assert wanted == replace(resized_step, requests_per_s=wanted.requests_per_s)
    assert pytest.approx(wanted.requests_per_s) == resized_step.requests_per_s
