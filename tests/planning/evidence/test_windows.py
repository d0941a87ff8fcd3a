import math
from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.planning.evidence.windows import (
    FILLING_PROCESSES,
    levels,
    plateau_windows,
    restarts,
    windows_of_one_life,
)

MEMORY = Resource.MEMORY


def windows_of(record):
    return plateau_windows(record.steps, record.samples, record.manifest.clock_offset.offset_s)


def test_a_plateau_is_cut_into_windows_of_about_four_seconds(venue):
    windows = windows_of(venue.record())

    assert [window.step for window in windows[:3]] == [0, 0, 0]
    assert len(windows) == 9 * 3


def test_a_short_plateau_is_one_window(venue, safe):
    record = replace(venue, steps=safe(2.0)).record()

    assert len(windows_of(record)) == len(record.steps)


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


def test_the_mean_is_that_of_the_samples_and_the_peak_the_largest(venue):
    record = venue.record()
    first = record.steps[0]
    inside = [
        sample.used[MEMORY]
        for sample in record.samples
        if first.plateau_started_at <= sample.at <= first.plateau_ended_at
    ]
    windows = [window for window in windows_of(record) if window.step == 0]

    assert max(window.peak[MEMORY] for window in windows) == max(inside)
    assert sum(window.mean[MEMORY] for window in windows) / 3 == pytest.approx(
        sum(inside) / len(inside), rel=0.001
    )


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf])
def test_a_reading_that_is_no_number_is_missing_not_zero(venue, nothing):
    record = venue.record()
    spoiled = tuple(
        replace(sample, used={**sample.used, MEMORY: nothing}) if sample.seq % 2 else sample
        for sample in record.samples
    )

    windows = windows_of(replace(record, samples=spoiled))

    assert all(5.9e7 < window.mean[MEMORY] < 1e8 for window in windows)


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


def test_nothing_recorded_gives_no_windows():

    assert windows_of_one_life(plateau_windows((), (), 0.0)) == []


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


def test_a_window_has_as_many_processes_as_filled_up_at_its_fullest(venue):
    record = venue.record()
    counts = {sample.seq: 2.0 + sample.seq % 3 for sample in record.samples}
    samples = tuple(
        replace(each, gauges={**each.gauges, FILLING_PROCESSES: counts[each.seq]})
        for each in record.samples
    )

    assert {4} == {window.processes for window in windows_of(replace(record, samples=samples))}


@pytest.mark.parametrize(("times", "is_longer"), [(1.9, False), (2.0, True)])
def test_a_load_that_was_there_before_is_held_on_from_twice_its_plateau(venue, times, is_longer):
    top = venue.steps[-1]
    again = replace(top, plateau_s=times * top.plateau_s, settle_s=0.5)
    windows = windows_of(replace(venue, steps=(*venue.steps, again)).record())

    assert {window.step for window in windows if window.is_held_longer} == (
        {len(venue.steps)} if is_longer else set()
    )
