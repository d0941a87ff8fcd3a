from locust import User
from locust.env import Environment

from dataclasses import replace

import pytest

from capacity.loadgen.master.workers.locust_users import (
    UsersDue,
    fix_counts,
    spawns_per_s,
    subscribers_of,
)
from capacity.workload.profiles.profile import Mix, Pace, ramp_steps

MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.1, poll_interval_s=2.0)
PACE = Pace(connects_per_s=400.0, ramp_timeout_s=10.0, settle_s=1.0, plateau_s=4.0)
STEPS = ramp_steps(levels=[100, 250], mix=MIX, pace=PACE)


@pytest.mark.parametrize(("connections_per_user", "users"), [(1, 250), (100, 3), (250, 1)])
def test_users_are_as_many_as_hold_all_connections(connections_per_user, users):
    assert users == subscribers_of(STEPS[2], connections_per_user)


def test_users_come_faster_than_their_connections_and_leave_at_the_connect_rate():
    down = (*STEPS, replace(STEPS[1]))

    assert 800.0 == spawns_per_s(down, 2, 1)
    assert 400.0 == spawns_per_s(down, 3, 1)


def test_a_newcomer_changes_the_rate_so_that_locust_starts_its_users_again():
    assert spawns_per_s(STEPS, 1, 1) != spawns_per_s(STEPS, 1, 2)
    assert spawns_per_s(STEPS, 1, 0) == spawns_per_s(STEPS, 1, 1)


def test_a_newcomer_changes_the_rate_also_where_another_was_lost_at_once():
    assert spawns_per_s(STEPS, 1, 2, 2) < spawns_per_s(STEPS, 1, 2, 3)


def test_what_is_asked_of_locust_stays_while_it_is_held():
    due = UsersDue(3, connections_per_user=10)

    assert (13, 800.0) == due.of(
        STEPS, 1, 1, 0, is_held=True
    )  # There is nothing before it to keep.
    assert (13, 800.0) == due.of(STEPS, 2, 2, 0, is_held=True)
    assert (28, 1600.0) == due.of(STEPS, 2, 2, 0, is_held=False)


def test_fixed_users_that_are_not_there_yet_take_their_time_to_come():
    due = UsersDue(4000, connections_per_user=1)

    assert 5.0 == due.missing_s(STEPS, 1, 0, 1)
    assert 1.25 == due.missing_s(STEPS, 1, 2000, 2)
    assert 0.0 == due.missing_s(STEPS, 1, 4000, 1) == due.missing_s(STEPS, 1, 4100, 1)


def test_fixed_users_come_at_the_rate_that_locust_was_asked_for_first():
    due = UsersDue(4000, connections_per_user=1)
    due.of(STEPS, 1, 1, 0, is_held=False)

    assert 5.0 == due.missing_s(STEPS, 1, 0, 2)


def test_slow_connects_do_not_hold_back_users():
    slow = [replace(step, connects_per_s=1.0) for step in STEPS]

    assert [100.0, 100.0, 102.0] == [
        spawns_per_s([replace(step, connects_per_s=each) for step in slow], 1, 1)
        for each in (1.0, 50.0, 51.0)
    ]


def test_pollers_and_traders_are_as_many_as_the_busiest_step_can_take():
    class Followers(User):
        weight = 1

    class Askers(User):
        weight = 0
        fixed_count = 1
        rate = "requests_per_s"

    class Traders(User):
        weight = 0
        fixed_count = 1
        rate = "orders_per_s"

    environment = Environment(user_classes=[Followers, Askers, Traders])

    assert 57 == fix_counts(environment, {"requests_per_s": 50, "orders_per_s": 7})
    assert (50, 7, 0) == (Askers.fixed_count, Traders.fixed_count, Followers.fixed_count)


def test_without_a_class_of_pollers_there_are_none():
    class Followers(User):
        weight = 1

    assert 0 == fix_counts(Environment(user_classes=[Followers]), {"requests_per_s": 50})


def test_each_newcomer_changes_the_rate_by_a_thousandth():
    assert [pytest.approx(800.0 * (1 + newcomers / 1000)) for newcomers in range(3)] == [
        spawns_per_s(STEPS, 1, 1, newcomers) for newcomers in range(3)
    ]
    assert 800.0 == spawns_per_s(STEPS, 1, 1)


def test_classes_that_nothing_is_asked_of_are_left_out_and_others_left_alone():
    class Followers(User):
        weight = 1
        rate = "requests_per_s"

    class Others(User):
        weight = 0
        fixed_count = 3

    class Askers(User):
        weight = 0
        fixed_count = 1
        rate = "requests_per_s"

    environment = Environment(user_classes=[Followers, Others, Askers])

    assert 0 == fix_counts(environment, {"orders_per_s": 7})
    assert [Followers, Others] == environment.user_classes
    assert (0, 3, 0) == (Followers.fixed_count, Others.fixed_count, Askers.fixed_count)
