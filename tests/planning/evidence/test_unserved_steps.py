"""Steps on which connections were open and not served."""

from dataclasses import replace

import pytest

from capacity.domain.observation import CutOffKind
from capacity.planning.evidence.unserved_steps import (
    unserved_in,
    unserved_statement,
    unserved_steps,
)
from capacity.planning.plan import plan


def top_with(venue, **counts):
    record = venue.record()
    *below, top = record.steps
    return replace(record, steps=(*below, replace(top, **counts)))


@pytest.mark.parametrize(("unserved", "is_cut_off"), [(2, False), (3, True)])
def test_a_step_is_cut_off_where_more_than_one_in_a_hundred_is_not_served(
    venue, unserved, is_cut_off
):
    record = top_with(venue, unserved=unserved)
    top = record.steps[-1]

    assert 245 == top.step.connections
    assert ([top.index] if is_cut_off else []) == list(unserved_steps(record.steps))


@pytest.mark.parametrize(("kind", "below"), [("unserved", 0), ("refused", 0), ("refused", 50)])
@pytest.mark.parametrize(("more", "is_cut_off"), [(10, False), (11, True)])
def test_one_in_a_hundred_may_be_silent_for_reasons_of_its_own(
    venue, ramp, kind, below, more, is_cut_off
):
    *others, before, top = replace(venue, steps=ramp(500, 1000)).record().steps
    if kind == "unserved":
        top = replace(top, unserved=more)
    else:
        before = replace(before, failures={"subscribe_rejected": below})
        top = replace(top, failures={"subscribe_rejected": 2 * below + more})

    assert (500, 1000) == (before.step.connections, top.step.connections)
    assert is_cut_off == (top.index in unserved_steps([*others, before, top]))


def test_what_is_silent_and_what_is_gone_are_told_apart_and_added_up(venue):
    top = top_with(venue, unserved=30, half_open=9).steps[-1]

    assert 39 == unserved_in(top)
    assert "30 of 245 connections stayed open and received no update" in unserved_statement(top)
    assert "9 of 245 connections did not answer a ping" in unserved_statement(top)
    assert "gone without a word, or does not read them" in unserved_statement(top)


def test_older_runs_say_nothing(venue):
    top = top_with(venue).steps[-1]

    assert (0, "") == (unserved_in(top), unserved_statement(top))


def test_such_a_step_bounds_the_plan_and_says_why(venue):
    answer = plan(top_with(venue, half_open=100))

    assert (CutOffKind.UNSERVED, 245) == (answer.met.kind, answer.met.failed)
    assert answer.safe_capacity < 245
    assert "100 of 245 connections did not answer a ping" in answer.doubts[0].statement


def test_fewer_are_a_caveat(venue):
    answer = plan(top_with(venue, unserved=2))

    assert answer.met is None
    assert any("2 of 245 connections stayed open" in doubt.statement for doubt in answer.doubts)


@pytest.mark.parametrize(
    ("counts", "held", "failed"),
    [
        ({"unserved": 5}, 240, 240),
        ({"unserved": 200}, 183, 245),
        ({"unserved": 5, "half_open": 1}, 183, 245),
        ({"half_open": 5}, 183, 245),
    ],
    ids=["some get all", "fewer than were held before", "some are gone", "gone ones only"],
)
def test_who_serves_some_in_full_and_others_never_holds_those(venue, counts, held, failed):
    met = plan(top_with(venue, **counts)).met

    assert (held, failed) == (met.held, met.failed)


def with_refused(venue, *counts):
    """Return a record whose steps from the first with connections on refused so many subscriptions."""
    record = venue.record()
    loaded = [step for step in record.steps if step.step.connections]
    refused = dict(zip((step.index for step in loaded[-len(counts) :]), counts, strict=True))
    return replace(
        record,
        steps=tuple(
            replace(step, failures={"subscribe_rejected": refused[step.index]})
            if step.index in refused
            else step
            for step in record.steps
        ),
    )


@pytest.mark.parametrize(("refused", "is_cut_off"), [(2, False), (3, True)])
def test_a_step_that_refuses_more_subscriptions_than_lower_ones_was_not_held(
    venue, refused, is_cut_off
):
    record = with_refused(venue, refused)
    answer = plan(record)

    assert is_cut_off == bool(unserved_steps(record.steps)) == (answer.met is not None)
    if is_cut_off:
        assert (CutOffKind.UNSERVED, 183, 245) == (
            answer.met.kind,
            answer.met.held,
            answer.met.failed,
        )
        assert "3 subscriptions of 245 connections were refused" in answer.met.statement


def test_a_cap_on_the_channels_of_each_connection_is_no_limit_on_connections(venue):
    loaded = [step for step in venue.record().steps if step.step.connections]
    record = with_refused(venue, *(step.step.connections for step in loaded))

    assert {} == unserved_steps(record.steps)
    assert plan(record).met is None


def test_of_two_steps_that_refused_the_lower_one_bounds_the_plan(venue):
    once, twice = with_refused(venue, 20, 0, 0), with_refused(venue, 20, 40, 60)
    lower, both = plan(once), plan(twice)

    assert 1 == len(unserved_steps(once.steps)) < len(unserved_steps(twice.steps))
    assert (lower.met.held, lower.met.failed) == (both.met.held, both.met.failed)
    assert both.capacity.mid == pytest.approx((both.met.held * both.met.failed) ** 0.5, abs=1.0)
    assert lower.capacity.mid == both.capacity.mid
