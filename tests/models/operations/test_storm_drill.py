"""Storms that are simulated, against times that can be told by hand."""

import math
from random import Random

import pytest

from capacity.models.operations.storm_drill import (
    FEWEST_TIMES,
    MOST_TIMES,
    drawn_between,
    repetitions,
    restored_times_s,
    share_restored_s,
)


def restored(clients, **changes):
    settings = {
        "served_per_s": 100.0,
        "burst": 1,
        "timeout_s": 10.0,
        "wait_s": lambda _failed, _random01: 0.0,
        "after_s": lambda _random01: 0.0,
        "until_s": 60.0,
        "rng": Random(1),
    }
    return restored_times_s(clients, **{**settings, **changes})


def test_all_at_once_are_let_in_one_after_the_other():
    assert restored(5) == pytest.approx([0.0, 0.01, 0.02, 0.03, 0.04])


def test_a_burst_is_let_in_at_once():
    times = restored(7, burst=5)

    assert [0.0] * 5 == times[:5]
    assert times[5:] == pytest.approx([0.01, 0.02])


def test_the_wait_and_the_first_update_are_added():
    times = restored(2, wait_s=lambda _failed, _random01: 2.0, after_s=lambda _random01: 0.5)

    assert times == pytest.approx([2.5, 2.51])


def test_jitter_spreads_the_clients_and_leaves_no_queue():
    times = restored(400, served_per_s=1e4, wait_s=lambda _failed, random01: 8.0 * random01)

    assert share_restored_s(times, 400, 0.5) == pytest.approx(4.0, rel=0.1)
    assert share_restored_s(times, 400, 0.95) == pytest.approx(7.6, rel=0.05)


def test_who_times_out_comes_back_behind_the_stale_work():
    # 1 s of patience for 2 s of work: the second half leaves, and its turns are spent on nobody.
    times = restored(200, timeout_s=1.005, wait_s=lambda failed, _random01: 2.0 * failed)

    assert times[100] < 1.01
    assert times[101] >= 3.0


def test_a_storm_that_never_ends_is_told_as_one():
    times = restored(300, served_per_s=10.0, timeout_s=0.5)

    assert math.isinf(times[-1])
    assert share_restored_s(times, 300, 0.99) is None


def test_nobody_is_let_in_where_nothing_is_left():
    times = restored(3, served_per_s=0.0)

    assert [math.inf] * 3 == times


@pytest.mark.parametrize(
    ("clients", "share", "expected"), [(20, 0.95, 19.0), (20, 0.96, 20.0), (1, 0.5, 1.0)]
)
def test_a_share_is_back_with_the_client_that_makes_it_whole(clients, share, expected):
    assert expected == share_restored_s([1.0 + n for n in range(clients)], clients, share)


def test_a_share_of_which_too_few_came_back_never_did():
    assert share_restored_s([1.0] * 18, 20, 0.95) is None
    assert 1.0 == share_restored_s([1.0] * 19, 20, 0.95)


def test_small_storms_are_simulated_more_often():
    assert (MOST_TIMES, FEWEST_TIMES) == (repetitions(10), repetitions(100_000))


def test_values_are_drawn_along_the_quantiles():
    draw = drawn_between(((0.5, 1.0), (0.95, 1.9), (1.0, 2.0)))

    assert [draw(r) for r in (0.0, 0.25, 0.5, 0.95, 1.0)] == pytest.approx(
        [0.0, 0.5, 1.0, 1.9, 2.0]
    )
