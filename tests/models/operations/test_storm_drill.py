"""Storms that are simulated, against times that can be told by hand."""

import math
from random import Random

import pytest

from capacity.domain.observation import Quantiles
from capacity.models.operations.storm_drill import (
    drawn_between,
    repetitions,
    restored_times_s,
    share_restored_s,
    shared_period_s,
)


def restored(clients, **changes):
    settings = {
        "served_per_s": 100.0,
        "burst": 1,
        "timeout_s": 10.0,
        "wait_s": lambda _failed, _random01: 0.0,
        "after_s": lambda _turn_s, _random01: 0.0,
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
    times = restored(
        2, wait_s=lambda _failed, _random01: 2.0, after_s=lambda _turn_s, _random01: 0.5
    )

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
    assert (40, 5) == (repetitions(10), repetitions(100_000))


def test_values_are_drawn_along_the_quantiles():
    draw = drawn_between(((0.5, 1.0), (0.95, 1.9), (1.0, 2.0)))

    assert [draw(r) for r in (0.0, 0.25, 0.5, 0.95, 1.0)] == pytest.approx(
        [0.0, 0.5, 1.0, 1.9, 2.0]
    )


def test_twenty_thousand_clients_are_simulated_in_all():
    assert [repetitions(clients) for clients in (0, 499, 1000, 3999)] == [40, 40, 20, 5]


@pytest.mark.parametrize(("wait_s", "is_back"), [(60.0, True), (60.01, False)])
def test_who_dials_after_the_end_is_not_back(wait_s, is_back):
    times = restored(1, wait_s=lambda _failed, _random01: wait_s)

    assert is_back == math.isfinite(times[0])


@pytest.mark.parametrize(("timeout_s", "is_in_time"), [(0.01, True), (0.0099, False)])
def test_a_turn_that_comes_at_the_time_out_is_in_time(timeout_s, is_in_time):
    times = restored(2, timeout_s=timeout_s, wait_s=lambda failed, _random01: 5.0 * failed)

    assert is_in_time == (times[1] < 1.0)
    # Else it is dialled again after the time-out and the wait, when nobody is in line.
    assert is_in_time or times[1] == pytest.approx(timeout_s + 5.0)


def test_a_bucket_that_rested_is_full_again_and_no_fuller():
    waits = iter([0.0, 0.0, 0.0, 10.0, 10.0, 10.0])
    times = restored(6, served_per_s=1.0, burst=2, wait_s=lambda _failed, _random01: next(waits))

    assert times == pytest.approx([0.0, 0.0, 1.0, 10.0, 10.0, 11.0])


def test_beyond_the_known_quantiles_the_last_value_holds_and_none_is_below_nothing():
    draw = drawn_between(((0.5, 1.0), (0.75, 9.0)))

    assert [draw(r) for r in (0.0, 0.5, 0.625, 0.9)] == pytest.approx([0.0, 1.0, 5.0, 9.0])


def test_a_share_of_nearly_nothing_is_one_client():
    assert share_restored_s([3.0, 4.0], 10, 0.001) == 3.0
    assert share_restored_s([3.0, 4.0, 5.0], 10, 0.3) == 5.0


def seen(count, p50_s, p95_s, p99_s):
    """Return the first updates of a step."""
    return Quantiles(count=count, p50_s=p50_s, p95_s=p95_s, p99_s=p99_s, max_s=p99_s)


SPREAD = seen(540, 0.28, 0.46, 0.5)
"""Subscribed over half a period or more."""


@pytest.mark.parametrize(
    ("together", "is_shared"),
    [
        (seen(10, 0.10, 0.15, 0.15), True),
        (seen(9, 0.10, 0.15, 0.15), False),  # So few are together by chance.
        (seen(10, 0.10, 0.151, 0.16), False),  # Spread.
        (seen(10, 0.36, 0.399, 0.399), True),
        (seen(10, 0.36, 0.401, 0.401), False),  # Each a period after its own subscription.
    ],
)
def test_updates_that_reach_all_who_wait_at_one_moment_have_a_period(together, is_shared):
    assert (0.5 if is_shared else None) == shared_period_s([together, SPREAD])


def test_a_snapshot_at_once_is_no_period_and_nothing_seen_is_none():
    assert shared_period_s([seen(20, 0.002, 0.002, 0.002), seen(60, 0.0019, 0.002, 0.002)]) is None
    assert shared_period_s([]) is None


def test_each_failure_is_counted_where_a_client_waits_for_its_next_attempt():
    waited_after = []
    times = restored(
        2,
        served_per_s=0.001,
        until_s=35.0,
        wait_s=lambda failed, _: waited_after.append(failed) or 0.0,
    )

    assert [0, 0, 1, 2, 3, 4] == waited_after
    assert [0.0, math.inf] == times


def test_a_share_whose_last_client_never_came_back_never_was():
    assert share_restored_s([1.0, math.inf], 2, 1.0) is None
    assert share_restored_s([1.0, math.inf], 2, 0.5) == 1.0
