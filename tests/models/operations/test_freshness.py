"""The freshness that is measured is that of the closed forms, on sources made by chance."""

import numpy as np
import pytest

from capacity.models.operations.freshness import measured, poll_interval_s_as_fresh, polled, pushed


def enough_s(changes_per_s):
    return min(200_000.0, 100_000.0 / changes_per_s)


def source(changes_per_s, seed=1):
    until_s = enough_s(changes_per_s)
    rng = np.random.default_rng(seed)
    count = int(changes_per_s * until_s * 1.05) + 50
    times = np.cumsum(rng.exponential(1 / changes_per_s, count))
    return times[times < until_s]


def polls_of(changes, interval_s, reply_s=0.0):
    until_s = changes[-1]
    asked = np.arange(interval_s * 3, until_s - reply_s, interval_s)
    held = np.searchsorted(changes, asked, side="right")
    return list(zip(asked + reply_s, held.tolist(), strict=True))


def within_2_percent(found, expected):
    return {
        name: getattr(found, name) == pytest.approx(getattr(expected, name), rel=0.02)
        for name in ("age_s", "stale_share", "staleness_s", "version_age")
    }


@pytest.mark.parametrize(
    ("changes_per_s", "interval_s", "fresh", "staleness_s", "age_s"),
    [(10, 1, 0.100, 0.410, 0.600), (10, 0.1, 0.632, 0.0132, 0.150), (1, 5, 0.199, 1.698, 3.50)],
)
def test_the_closed_forms_have_the_published_values(
    changes_per_s, interval_s, fresh, staleness_s, age_s
):
    found = polled(changes_per_s, interval_s)

    assert 1 - found.stale_share == pytest.approx(fresh, abs=0.001)
    assert found.staleness_s == pytest.approx(staleness_s, rel=0.01)
    assert found.age_s == pytest.approx(age_s)


@pytest.mark.parametrize(("changes_per_s", "interval_s"), [(1.0, 5.0), (2.0, 0.25), (0.1, 1.0)])
def test_a_poller_of_a_random_source_is_as_fresh_as_the_closed_forms_within_2_percent(
    changes_per_s, interval_s
):
    changes = source(changes_per_s)
    found = measured(changes, polls_of(changes, interval_s), until_s=changes[-1])

    assert all(within_2_percent(found, polled(changes_per_s, interval_s)).values())


@pytest.mark.parametrize(("changes_per_s", "delay_s"), [(1.0, 0.5), (5.0, 0.02)])
def test_a_subscriber_of_a_random_source_is_as_fresh_as_the_closed_forms_within_2_percent(
    changes_per_s, delay_s
):
    changes = source(changes_per_s)
    arrivals = [(at_s + delay_s, number) for number, at_s in enumerate(changes, start=1)]
    found = measured(changes, arrivals, until_s=changes[-1])

    assert all(within_2_percent(found, pushed(changes_per_s, delay_s)).values())


def test_the_reply_adds_to_age_and_version_age():
    changes = source(1.0)
    found = measured(changes, polls_of(changes, 2.0, reply_s=0.5), until_s=changes[-1])
    expected = polled(1.0, 2.0, reply_s=0.5)

    assert found.age_s == pytest.approx(expected.age_s, rel=0.02)
    assert found.version_age == pytest.approx(expected.version_age, rel=0.02)


def test_a_silent_socket_ages():
    found = measured([0.0, 1.0, 2.0], [(0.0, 1)], until_s=4.0, objective_s=1.0)

    assert found.age_s == pytest.approx(2.0)
    assert found.stale_share == pytest.approx(0.75)
    assert found.staleness_s == pytest.approx((3 * 3 / 2) / 4)
    assert found.version_age == pytest.approx((1 * 1 + 2 * 2) / 4)
    assert found.late_share == pytest.approx(0.75)
    assert found.peak_age_s == pytest.approx(4.0)


def test_a_source_at_rest_keeps_what_is_held_fresh_however_old_it_is():
    found = measured([0.0], [(0.0, 1)], until_s=100.0, objective_s=100.0)

    assert (found.stale_share, found.staleness_s, found.version_age) == (0.0, 0.0, 0.0)
    assert (found.age_s, found.late_share) == (50.0, 0.0)
    assert measured([0.0], [(0.0, 1)], until_s=100.1, objective_s=100.0).late_share > 0.0


def test_what_comes_late_and_is_older_replaces_nothing():
    found = measured([0.0, 1.0], [(1.0, 2), (2.0, 1)], until_s=3.0)

    assert (found.stale_share, found.age_s) == (0.0, 1.0)


def test_the_peak_is_the_age_before_something_newer_comes():
    found = measured([0.0, 1.0, 2.0], [(0.5, 1), (1.5, 2), (2.75, 3)], until_s=4.0)

    assert found.peak_age_s == pytest.approx((1.5 + 1.75) / 2)


@pytest.mark.parametrize("arrivals", [[], [(1.0, 0)], [(5.0, 1)]])
def test_without_an_arrival_nothing_is_measured(arrivals):
    assert measured([0.0], arrivals, until_s=5.0) is None


@pytest.mark.parametrize("stale_share", [0.001, 0.3, 0.95])
def test_the_interval_that_is_as_fresh_gives_that_share(stale_share):
    interval_s = poll_interval_s_as_fresh(2.0, stale_share)

    assert polled(2.0, interval_s).stale_share == pytest.approx(stale_share, rel=1e-3)


def test_what_brings_nothing_newer_ends_no_age():
    found = measured([0.0, 1.0], [(0.5, 1), (0.75, 1), (1.5, 2)], until_s=3.0)

    assert found.peak_age_s == 1.5
    assert measured([1.0], [(1.5, 1)], until_s=4.0).peak_age_s == 3.0


def test_staleness_counts_from_the_first_change_that_is_not_held():
    found = measured([0.0, 1.0, 2.0], [(0.0, 1), (1.5, 2)], until_s=4.0)

    # Half a second since the change at 1, and two since the one at 2.
    assert found.staleness_s == pytest.approx((0.5**2 / 2 + 2.0**2 / 2) / 4)
