"""From versions to freshness."""

import pytest

from capacity.loadgen.master.steps.freshness import Watched, freshness_of

WATCHED = Watched(poll_interval_s=2.0, objective_s=None, clock_offset_s=10.0)
PUSHED = [(100.5, 100.0, 7), (101.5, 101.0, 9), (102.5, 102.0, 12)]


def test_versions_need_not_follow_one_another():
    pair = freshness_of(WATCHED, PUSHED, [(101.25, 8, 0.25)], until_s=93.0)

    assert pair.changes_per_s == pytest.approx(1.0)
    assert pair.pushed.age_s == pytest.approx((1.0 + 1.0 + 0.5 * 0.75) / 2.5)
    assert (pair.polled.seconds, pair.reply_s) == (pytest.approx(1.75), 0.25)
    assert pair.polled.version_age == pytest.approx((1 * 0.75 + 2 * 1.0) / 1.75)


def test_the_end_is_read_on_the_clock_of_the_target():
    pair = freshness_of(WATCHED, PUSHED, [], until_s=93.0)

    assert pair.pushed.seconds == pytest.approx(103.0 - 100.5)
    assert pair.polled is None


def test_a_snapshot_that_repeats_a_version_is_no_change():
    again = [*PUSHED, (102.75, 102.7, 12)]

    assert freshness_of(WATCHED, again, [], until_s=93.0).changes_per_s == pytest.approx(1.0)


@pytest.mark.parametrize("pushed", [[], PUSHED[:1]])
def test_of_a_source_that_did_not_change_nothing_is_said(pushed):
    assert freshness_of(WATCHED, pushed, [(101.0, 7, 0.1)], until_s=93.0) is None


def test_two_versions_are_enough_and_without_polls_no_reply_took_any_time():
    pair = freshness_of(WATCHED, PUSHED[:2], [], until_s=93.0)

    assert (pytest.approx(1.0), 0.0, 2.0) == (
        pair.changes_per_s,
        pair.reply_s,
        pair.poll_interval_s,
    )


def test_versions_of_one_moment_change_by_the_clocks_resolution():
    pair = freshness_of(WATCHED, [(100.5, 100.0, 7), (100.5, 100.0, 8)], [], until_s=93.0)

    assert pytest.approx(1e9) == pair.changes_per_s


def test_the_usual_reply_is_the_one_in_the_middle():
    polled = [(101.0, 7, took_s) for took_s in (0.1, 0.2, 5.0)]

    assert 0.2 == freshness_of(WATCHED, PUSHED, polled, until_s=93.0).reply_s
