"""Which steps, lives of the target and samples there are windows of."""

import math
from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.resources import Resource
from capacity.domain.run import ClockOffset
from capacity.planning.evidence.windows import (
    is_usable,
    levels,
    offset_of,
    plateau_of,
    plateau_windows,
    restarts,
    samples_on_plateaus,
    windows_of_one_life,
)

MEMORY = Resource.MEMORY


def windows_of(record):
    return plateau_windows(record.steps, record.samples, record.manifest.clock_offset.offset_s)


def test_only_plateau_samples_count_not_those_of_the_ramp(venue):
    record = venue.record()
    begin, end = record.steps[3].plateau_started_at, record.steps[3].plateau_ended_at
    spoiled = tuple(
        sample if begin <= sample.at <= end else replace(sample, used={MEMORY: 1e15})
        for sample in record.samples
    )

    windows = windows_of(replace(record, samples=spoiled))

    assert max(w.peak[MEMORY] for w in windows if w.step == 3) < 1e9


def test_the_agents_clock_may_be_hours_off(venue):
    right, off = venue.record(), replace(venue, clock_offset_s=7200.0).record()

    assert [w.mean for w in windows_of(off)] == [w.mean for w in windows_of(right)]


def test_void_steps_and_steps_without_plateau_have_no_windows(venue):
    record = venue.record()
    steps = list(record.steps)
    steps[2] = replace(steps[2], void="lag")
    steps[4] = replace(steps[4], plateau_started_at=None, plateau_ended_at=None, load=None)

    windows = windows_of(replace(record, steps=tuple(steps)))

    assert {window.step for window in windows} == {0, 1, 3, 5, 6, 7, 8}


def test_samples_without_the_target_are_left_out(venue):
    record = venue.record()
    gone = tuple(
        replace(sample, target_started_at=None, used={MEMORY: 0.0}) if sample.seq % 3 else sample
        for sample in record.samples
    )

    windows = windows_of(replace(record, samples=gone))

    assert all(window.mean[MEMORY] > 5e7 for window in windows)


def test_a_plateau_with_a_restart_in_it_is_not_used(venue):
    record = venue.record()
    middle = (record.steps[5].plateau_started_at + record.steps[5].plateau_ended_at) / 2
    restarted = tuple(
        replace(sample, target_started_at=middle) if sample.at > middle else sample
        for sample in record.samples
    )
    windows = windows_of(replace(record, samples=restarted))

    assert {window.step for window in windows} == set(range(9)) - {5}
    assert restarts(restarted) == 1


def test_the_life_with_most_levels_is_used_alone(venue):
    record = replace(venue, restarts_at=(2,)).record()

    kept = windows_of_one_life(windows_of(record))

    assert {window.step for window in kept} == set(range(2, 9))
    assert levels(kept) == 4


def test_a_start_time_that_is_read_a_little_differently_is_no_restart(venue):
    record = venue.record()
    wobbling = tuple(
        replace(sample, target_started_at=sample.target_started_at + 0.01 * (sample.seq % 2))
        for sample in record.samples
    )

    assert restarts(wobbling) == 0
    assert len(windows_of(replace(record, samples=wobbling))) == 27


def test_windows_in_which_the_target_warmed_up_are_left_out(venue, safe):
    record = replace(venue, steps=safe(60.0)).record()
    warm = record.steps[-1]
    samples = [
        replace(
            sample,
            used={
                **sample.used,
                Resource.EVENT_LOOP: sample.used[Resource.EVENT_LOOP]
                + (
                    1.0
                    if warm.plateau_started_at < sample.at < warm.plateau_started_at + 7
                    else 0.0
                ),
            },
        )
        for sample in record.samples
    ]
    whole = windows_of(record)
    cut = windows_of(replace(record, samples=tuple(samples)))

    assert len(whole) - len(cut) in {2, 3}
    assert max(w.mean[Resource.EVENT_LOOP] for w in cut) < 0.5


@pytest.mark.parametrize(("wobble_s", "count"), [(0.5, 0), (0.51, 1)])
def test_half_a_second_tells_two_starts_apart(venue, wobble_s, count):
    first, second = venue.record().samples[:2]
    begun = [
        replace(first, target_started_at=100.0),
        replace(second, target_started_at=100.0 + wobble_s),
    ]

    assert restarts(begun) == count
    assert restarts([begun[1], replace(first, target_started_at=None), begun[0]]) == count
    assert restarts([begun[0], replace(first, target_started_at=math.nan)]) == 0
    lives = [
        replace(window, target_started_at=100.0 + wobble_s * n, step=n)
        for n, window in enumerate(windows_of(venue.record())[:2])
    ]
    assert len(windows_of_one_life(lives)) == 2 - count


def test_of_lives_with_as_many_levels_the_one_with_most_connections_counts(venue):
    window = windows_of(venue.record())[0]
    lives = [
        replace(window, target_started_at=start, asked_connections=count)
        for start, count in ((0.0, 30), (0.0, 90), (50.0, 20), (50.0, 95), (99.0, 99))
    ]

    assert [w.asked_connections for w in windows_of_one_life(lives)] == [20, 95]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (1.0, 2.0, (1.0, 2.0)),
        (2.0, 2.0, (2.0, 2.0)),
        (2.0, 1.0, None),
        (None, 2.0, None),
        (1.0, None, None),
        (-1.0, 2.0, None),
        (1.0, math.inf, None),
    ],
)
def test_a_plateau_begins_before_it_ends(venue, begin, end, expected):
    step = replace(venue.record().steps[0], plateau_started_at=begin, plateau_ended_at=end)

    assert plateau_of(step) == expected
    assert is_usable(step) is (expected is not None)


def test_what_was_void_cut_off_or_not_measured_is_not_used(venue):
    step = venue.record().steps[-1]
    cut_off = CutOff(kind=CutOffKind.LOST, statement="so", connections=9)

    assert is_usable(step)
    for changes in (
        {"void": "late"},
        {"cut_off": cut_off},
        {"load": None},
        {"load": replace(step.load, deliveries_per_s=math.nan)},
    ):
        assert not is_usable(replace(step, **changes))


def test_samples_of_a_plateau_are_those_of_steps_with_windows_by_the_recorders_clock(venue):
    record = replace(venue, clock_offset_s=7200.0).record()
    windows = [window for window in windows_of(record) if window.step == 3]
    [(step, samples)] = samples_on_plateaus(
        replace(record, samples=tuple(reversed(record.samples))), windows
    )

    assert step.index == 3
    assert samples == [
        sample
        for sample in record.samples
        if step.plateau_started_at <= sample.at - 7200.0 <= step.plateau_ended_at
    ]


@pytest.mark.parametrize(
    ("clock", "offset_s"),
    [
        (None, 0.0),
        (ClockOffset(offset_s=-3.0, error_s=0.1), -3.0),
        (ClockOffset(offset_s=math.nan, error_s=0.1), 0.0),
    ],
)
def test_a_clock_that_nobody_read_is_not_off(clock, offset_s):
    assert offset_of(clock) == offset_s
