"""Records of targets that say nothing, or nothing that the dialect knows."""

from dataclasses import replace

import pytest

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunEvent
from capacity.planning.evidence.updates import no_updates, unmatched_classes
from capacity.planning.plan import plan


@pytest.fixture
def silent(venue):
    """Return the venue's record with so many frames that were not understood on each step."""

    def record(unmatched=0, reason=None):
        made = venue.record()
        steps = tuple(
            replace(step, unmatched=unmatched, load=replace(step.load, deliveries_per_s=0.0))
            for step in made.steps
        )
        event = RunEvent(at=1.0, kind="unmatched_frame", detail={"reason": reason})
        return replace(made, steps=steps, events=(event,) if reason else ())

    return record


def test_updates_that_come_are_no_gap(venue):
    assert no_updates(venue.record()) is None
    assert isinstance(plan(venue.record()), CapacityPlan)


def test_frames_of_which_none_is_an_update_make_no_plan_and_the_first_is_shown(silent):
    answer = plan(silent(70, 'no rule for: {"t": "px.BTC"}'))

    assert isinstance(answer, Excuse)
    # Four of the nine steps have subscriptions.
    assert "None of the 280 frames" in answer.reason
    assert '(no rule for: {"t": "px.BTC"})' in answer.reason
    assert "capacity dialect try" in answer.remedy


@pytest.mark.parametrize(("letters", "is_whole"), [(160, True), (161, False)])
def test_a_frame_is_shown_by_160_letters(silent, letters, is_whole):
    assert is_whole is (f"({'x' * letters})" in no_updates(silent(1, "x" * letters)).reason)


def test_a_frame_is_shown_as_one_short_visible_line(silent):
    reason = no_updates(silent(1, "not JSON: \x1b[2J" + "x" * 5000)).reason

    assert reason.isprintable()
    assert len(reason) < 400


def test_silence_makes_no_plan_and_says_how_long_it_was(silent):
    gap = no_updates(silent())

    assert (
        "No update was received on the 4 plateaus with subscriptions, in 48 s and on up to"
        in gap.reason
    )
    assert "subscriptions_per_connection to 0" in gap.remedy


def test_connections_that_follow_nothing_hear_nothing(silent):
    record = silent()
    idle = tuple(
        replace(step, step=replace(step.step, subscriptions_per_connection=0))
        for step in record.steps
    )

    assert no_updates(replace(record, steps=idle)) is None


def test_one_update_on_one_plateau_is_enough(silent):
    record = silent(70)
    last = record.steps[-1]
    heard = replace(last, load=replace(last.load, deliveries_per_s=0.1))

    assert no_updates(replace(record, steps=(*record.steps[:-1], heard))) is None


def test_what_was_not_understood_is_told_by_class_the_most_frequent_first(venue):
    steps = [
        replace(step, unmatched_by={"not JSON": 2, "no rule for": 3})
        for step in venue.record().steps[:2]
    ]

    assert ": 6 no rule for and 4 not JSON" == unmatched_classes(steps)
    assert not unmatched_classes(venue.record().steps)
