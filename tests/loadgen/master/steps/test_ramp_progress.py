"""How long a ramp has not got on."""

import pytest

from capacity.loadgen.master.steps.ramp_progress import RampProgress


@pytest.fixture
def progress():
    begun = RampProgress()
    begun.begin(10, 100.0)
    return begun


@pytest.mark.parametrize(("connections", "stalled_s"), [(9, 7.0), (10, 7.0), (11, 2.0)])
def test_only_more_connections_than_ever_are_progress(progress, connections, stalled_s):
    progress.note(connections, 105.0)

    assert stalled_s == progress.stalled_s(107.0)


def test_before_a_step_begins_nothing_is_open_since_the_beginning():
    progress = RampProgress()

    assert 3.0 == progress.stalled_s(3.0)
    progress.note(1, 2.0)
    assert 1.0 == progress.stalled_s(3.0)


def test_a_step_that_was_slowed_down_has_all_of_its_time_again(progress):
    progress.wait_anew(106.0)

    assert 1.0 == progress.stalled_s(107.0)


def test_a_step_that_has_not_begun_to_open_has_no_time_to_be_given_again(progress):
    progress.begin(10, 130.0)
    progress.wait_anew(106.0)

    assert -23.0 == progress.stalled_s(107.0)


def test_the_gaps_of_our_own_pace_are_no_stall(progress):
    progress.gap_s = 6.0

    assert 1.0 == progress.stalled_s(107.0)


def test_a_time_in_which_the_master_stood_still_is_not_the_ramps(progress):
    progress.forgive(3.0)

    assert 4.0 == progress.stalled_s(107.0)


def test_a_step_begins_with_what_is_open_then(progress):
    progress.note(20, 105.0)
    progress.begin(5, 110.0)
    progress.note(6, 111.0)

    assert 1.0 == progress.stalled_s(112.0)
