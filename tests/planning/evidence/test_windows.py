import math
from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.domain.sample import MemoryReading
from capacity.planning.evidence.windows import (
    DESCRIPTOR_LIMIT,
    FILLING_DESCRIPTORS,
    FILLING_PROCESSES,
    plateau_windows,
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


def test_nothing_recorded_gives_no_windows():

    assert windows_of_one_life(plateau_windows((), (), 0.0)) == []


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


@pytest.mark.parametrize(
    ("plateau_s", "count"), [(5.9, 1), (6.1, 2), (9.9, 2), (10.1, 3), (0.5, 1)]
)
def test_a_plateau_has_a_window_for_each_four_seconds_rounded(venue, plateau_s, count):
    record = replace(venue, beat_s=0.1).record()
    step = replace(
        record.steps[-1], plateau_ended_at=record.steps[-1].plateau_started_at + plateau_s
    )
    windows = plateau_windows([step], record.samples, 0.0)

    assert len(windows) == count


def test_windows_of_a_plateau_are_equally_long_and_take_its_ends(venue):
    record = replace(venue, beat_s=0.5).record()
    step = record.steps[-1]
    begin = step.plateau_started_at
    samples = tuple(replace(each, used={MEMORY: each.at - begin}) for each in record.samples)
    step = replace(step, plateau_ended_at=begin + 8.0)
    windows = plateau_windows([step], samples, 0.0)

    assert [(w.mean[MEMORY], w.peak[MEMORY]) for w in windows] == pytest.approx(
        [(1.75, 3.5), (6.0, 8.0)]
    )
    # Eight readings half a second apart scatter by √6 / 2.
    assert windows[0].error[MEMORY] == pytest.approx(6**0.5 / 2 / 8**0.5)


def test_one_reading_has_no_error(venue):
    record = venue.record()
    step = replace(record.steps[-1], plateau_ended_at=record.steps[-1].plateau_started_at + 0.5)
    [window] = plateau_windows([step], record.samples, 0.0)

    assert window.error[MEMORY] == 0.0


def test_what_goes_with_the_descriptors_is_read_where_it_is(venue):
    record = venue.record()

    def window_of(*gauges):
        step = record.steps[0]
        inside = [each for each in record.samples if step.plateau_started_at <= each.at]
        samples = [replace(each, gauges=gauge) for each, gauge in zip(inside, gauges, strict=False)]
        [window] = plateau_windows(
            [replace(step, plateau_ended_at=step.plateau_started_at + 3.0)], samples, 0.0
        )
        return window.processes, window.shared_descriptors, window.descriptor_limit

    def gauge(processes, descriptors, limit):
        return {
            FILLING_PROCESSES: processes,
            FILLING_DESCRIPTORS: descriptors,
            DESCRIPTOR_LIMIT: limit,
        }

    assert window_of({}, {}, {}) == (1, None, None)
    assert window_of(gauge(4.0, 10.0, 99.0), {}, gauge(4.0, 20.0, 50.0)) == (4, 15.0, 50.0)
    assert window_of(gauge(4.0, 10.0, 99.0), gauge(3.0, 20.0, math.nan)) == (4, None, 99.0)
    assert window_of({FILLING_PROCESSES: 4.0}) == (4, None, None)


def test_churn_is_asked_for_or_not(venue):
    record = venue.record()
    churned = replace(record.steps[-1], step=replace(record.steps[-1].step, churn_per_s=0.5))

    assert {w.is_churned for w in plateau_windows([churned], record.samples, 0.0)} == {True}
    assert {w.is_churned for w in windows_of(record)} == {False}


def test_windows_come_in_the_order_of_their_loads(venue):
    loads = [
        (window.load.connections, window.load.deliveries_per_s, window.load.requests_per_s)
        for window in windows_of(replace(venue, steps=tuple(reversed(venue.steps))).record())
    ]

    assert loads == sorted(loads)


def test_the_mark_of_a_step_is_held_against_the_sample_before_it(venue):
    """The mark rises from 100 to 160 between the last sample before the step and its first one."""
    record = venue.record()
    first, second = record.steps[:2]
    samples = tuple(
        replace(
            each,
            memory=MemoryReading(
                account="a",
                use_bytes=50.0,
                charged_bytes=50.0,
                high_water_bytes=160.0 if each.at > second.started_at else 100.0,
            ),
        )
        for each in record.samples
    )
    bursts = {w.step: w.burst_bytes for w in windows_of(replace(record, samples=samples))}

    assert (bursts[first.index], bursts[second.index]) == (None, 110.0)
    assert set(bursts.values()) == {None, 110.0}


def test_a_table_that_fills_on_a_plateau_fills_at_so_many_a_second(venue):
    record = venue.record()
    step = record.steps[-1]
    begin = step.plateau_started_at

    def filling(per_s):
        samples = tuple(
            replace(each, used={Resource.CONNTRACK: 1000.0 + per_s * (each.at - begin)})
            for each in record.samples
        )
        return {w.tracked_per_s for w in plateau_windows([step], samples, 0.0)}

    assert list(filling(2.0)) == pytest.approx([2.0])
    assert filling(-2.0) == filling(0.0) == {0.0}
    assert {w.tracked_per_s for w in windows_of(record)} == {0.0}
