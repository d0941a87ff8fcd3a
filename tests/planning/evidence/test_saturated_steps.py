import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.observation import CutOff, CutOffKind
from capacity.planning.evidence.saturated_steps import (
    _unserved_before_silence,
    judged,
    short_steps,
)
from capacity.planning.plan import plan


@pytest.fixture
def delivered(venue, ramp):
    """Return a ramp's steps whose highest one got that share of what was due."""

    def with_share(share, error=0.0):
        record = replace(venue, steps=ramp(50, 100, 200)).record()
        *below, top = record.steps
        load = replace(top.load, deliveries_per_s=top.load.deliveries_per_s * share)
        top = replace(top, load=load, delivery_rate_error_ratio=error)
        return replace(record, steps=(*below, top))

    return with_share


@pytest.mark.parametrize(("share", "is_short"), [(0.928, False), (0.926, True), (0.1, True)])
def test_a_step_that_got_less_than_was_due_was_not_held(delivered, share, is_short):
    """Below 95 % of it, by more than an update of each subscription here and there, which are independent."""
    short = short_steps(delivered(share).steps)

    assert ([3] if is_short else []) == list(short)


@given(
    period_s=st.floats(0.05, 20.0),
    plateau_s=st.floats(1.0, 30.0),
    phases=st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4),
)
def test_a_slow_feed_that_updates_all_at_once_is_never_short(venue, period_s, plateau_s, phases):
    """However many of its updates happen to fall on a plateau."""
    steps = []
    for step, phase in zip(venue.record().steps[1:], phases, strict=False):
        updates = math.floor(plateau_s / period_s + phase) * step.step.subscriptions_per_connection
        rate = updates * step.step.connections / plateau_s
        steps.append(
            replace(
                step,
                load=replace(step.load, deliveries_per_s=rate),
                plateau_ended_at=step.plateau_started_at + plateau_s,
            )
        )

    assert {} == short_steps(steps)


@pytest.mark.parametrize(("error", "is_short"), [(0.03, True), (0.05, True), (0.06, False)])
def test_a_feed_that_is_uneven_has_to_be_short_beyond_its_error(delivered, error, is_short):
    assert is_short == bool(short_steps(delivered(0.85, error).steps))


def test_a_short_step_is_cut_off_as_saturated_with_its_number(delivered):
    cut_off = judged(delivered(0.5)).steps[-1].cut_off

    assert (CutOffKind.SATURATED, 200) == (cut_off.kind, cut_off.connections)
    assert "50 % of the expected updates arrived" in cut_off.statement


def test_a_saturated_step_is_no_evidence_of_cheap_connections(delivered, venue):
    answer = plan(delivered(0.1))

    assert answer.capacity.high <= 200
    assert pytest.approx(10.0) == answer.mix.deliveries_per_s


def test_steps_that_are_served_alike_stay_as_they_are(venue):
    record = venue.record()

    assert judged(record) is record


def test_idle_steps_and_void_ones_say_nothing(delivered):
    record = delivered(0.5)
    void = replace(record.steps[-1], void="a worker was lost")
    idle = replace(record.steps[-1], step=replace(record.steps[-1].step, is_mix=False))

    assert {} == short_steps((*record.steps[:-1], void))
    assert {} == short_steps((*record.steps[:-1], idle))


@pytest.mark.parametrize(("ratio", "is_short"), [(0.97, True), (0.995, False)])
def test_a_rate_that_falls_bit_by_bit_is_held_against_what_was_due_at_first(
    venue, ramp, ratio, is_short
):
    """Each level gets so much of what the one before got."""
    record = replace(venue, steps=ramp(20, 40, 80, 160, 320)).record()
    steps = [
        replace(
            step, load=replace(step.load, deliveries_per_s=step.load.deliveries_per_s * ratio**n)
        )
        for n, step in enumerate(record.steps)
    ]

    assert is_short == bool(short_steps(steps))


def test_a_step_that_was_disturbed_is_not_short_where_more_was_served(venue, ramp):
    record = replace(venue, steps=ramp(50, 100, 200)).record()
    baseline, first, middle, top = record.steps
    disturbed = replace(
        middle, load=replace(middle.load, deliveries_per_s=middle.load.deliveries_per_s / 2)
    )

    assert {} == short_steps((baseline, first, disturbed, top))
    assert [2] == list(short_steps((baseline, first, disturbed)))


@pytest.mark.parametrize(("per_s", "is_held"), [(0.0, False), (0.1, True)])
def test_a_plateau_on_which_nothing_came_was_not_held_where_the_target_then_hung(
    venue, ramp, per_s, is_held
):
    baseline, first, second = replace(venue, steps=ramp(50, 100)).record().steps
    first = replace(first, load=replace(first.load, deliveries_per_s=per_s))
    hung = CutOff(kind=CutOffKind.SILENT, statement="it hung", connections=50)
    record = replace(venue, steps=ramp(50, 100)).record()
    record = replace(record, steps=(baseline, first, replace(second, cut_off=hung)))

    assert is_held == (judged(record).steps[1].cut_off is None)


@pytest.fixture
def served(venue, ramp):
    """Return steps with so many connections, deliveries a second for each, seconds and errors."""

    def steps(*rows):
        made = replace(venue, steps=ramp(*(row[0] for row in rows))).record().steps[1:]
        return [
            replace(
                step,
                load=replace(step.load, deliveries_per_s=each_per_s * count),
                plateau_ended_at=step.plateau_started_at + seconds,
                delivery_rate_error_ratio=error,
            )
            for step, (count, each_per_s, seconds, error) in zip(made, rows, strict=True)
        ]

    return steps


@pytest.mark.parametrize(
    ("rows", "least_per_s"),
    [
        # 95 % of 10, less the root of the squares of an update of both subscriptions in 12 s, due and got.
        ([(20, 10.0, 12.0, 0.0), (40, 9.5, 24.0, 0.0), (99, None, 12.0, 0.0)], 9.27011),
        # Up to two fifths of the connections count: 9.667 was due in 36 s.
        ([(20, 10.0, 12.0, 0.0), (40, 9.5, 24.0, 0.0), (100, None, 12.0, 0.0)], 8.98605),
        # Where none has so few, the smallest step alone counts.
        ([(80, 10.0, 12.0, 0.0), (90, 9.5, 24.0, 0.0), (100, None, 12.0, 0.0)], 9.27011),
        # Twice the error of the rates on both sides, which is more than an update.
        ([(20, 10.0, 12.0, 0.02), (40, 10.0, 12.0, 0.04), (100, None, 12.0, 0.03)], 8.72599),
        # A rate that is known to a half at best is nothing that is due.
        ([(20, 10.0, 12.0, 0.5), (100, None, 12.0, 0.0)], 0.0),
    ],
)  # fmt: skip
def test_what_was_due_is_the_mean_of_far_smaller_steps_by_their_time(served, rows, least_per_s):
    *below, (count, _, seconds, error) = rows

    def is_short(each_per_s):
        return bool(short_steps(served(*below, (count, each_per_s, seconds, error))))

    assert not is_short(1.0001 * least_per_s)
    assert is_short(0.9999 * least_per_s) is (least_per_s > 0.0)


def test_half_of_a_slow_feed_is_short(served):
    """Two updates a second, in plateaus of six seconds, of a loop that waits a millisecond for each."""
    rows = [(60, 1.98, 6.1, 0.068), (360, 1.99, 6.1, 0.068), (720, 1.02, 6.1, 0.133)]
    once = [*rows[:2], (720, 1.8, 6.1, 0.068)]

    assert [3] == list(short_steps(served(*rows)))
    assert [] == list(short_steps(served(*once)))


def test_a_short_step_is_no_measure_of_what_is_due(served):
    """Of 30 connections, which are short, 60 of 150 got as much; only 20 tell what is due."""
    rows = [(20, 10.0, 12.0, 0.0), (30, 5.0, 120.0, 0.0), (150, 8.0, 12.0, 0.0)]

    assert len(short_steps(served(*rows))) == 2


def test_what_is_said_of_a_short_step_are_its_rates(served):
    [cut] = short_steps(served((20, 10.0, 12.0, 0.0), (100, 5.0, 12.0, 0.0))).values()

    assert cut.connections == 100
    assert (
        "(5 deliveries/s per connection instead of 10 deliveries/s); at least 95 %" in cut.statement
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"void": "late"},
        {"load": None},
        {"plateau_started_at": None},
        {"plateau_ended_at": None},
        {"plateau_ended_at": 0.0},
        {"delivery_rate_error_ratio": math.nan},
    ],
)
def test_a_step_without_a_plateau_or_a_rate_tells_nothing(served, changes):
    first, last = served((20, 10.0, 12.0, 0.0), (100, 5.0, 12.0, 0.0))

    assert short_steps([first, last])
    assert short_steps([first, replace(last, **changes)]) == {}


@pytest.mark.parametrize(
    "changes", [{"connections": 0}, {"subscriptions_per_connection": 0}, {"is_mix": False}]
)
def test_who_follows_nothing_is_due_nothing(served, changes):
    first, last = served((20, 10.0, 12.0, 0.0), (100, 5.0, 12.0, 0.0))

    assert short_steps([first, replace(last, step=replace(last.step, **changes))]) == {}


def test_silence_reaches_back_to_the_last_plateau_on_which_anything_came(served):
    steps = served(*[(n, 0.0 if n > 30 else 5.0, 12.0, 0.0) for n in (20, 30, 40, 50, 60)])
    hung = CutOff(kind=CutOffKind.SILENT, statement="it hung", connections=60)
    steps[-1] = replace(steps[-1], cut_off=hung)
    idle = replace(steps[2], step=replace(steps[2].step, is_mix=False))
    found = _unserved_before_silence((*steps[:2], idle, *steps[3:]))

    assert list(found) == [steps[3].index]
    assert "on the plateau of 50 connections" in found[steps[3].index].statement
    assert found[steps[3].index].connections == 50
    assert len(_unserved_before_silence(tuple(steps))) == 2
    assert _unserved_before_silence(tuple(steps[:-1])) == {}


def test_a_third_of_the_updates_is_missed_also_on_a_short_plateau_of_a_target_out_of_breath(served):
    """As it was recorded: of two updates a second 1.3 came for six seconds, and unevenly."""
    steps = served(
        (20, 1.997, 6.0, 0.068),
        (60, 1.988, 6.0, 0.068),
        (180, 1.999, 6.0, 0.068),
        (360, 1.305, 6.1, 0.1025),
    )

    assert [steps[-1].index] == list(short_steps(steps))
