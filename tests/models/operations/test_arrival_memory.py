import numpy as np
import pytest

from capacity.models.operations import arrival_memory as arrival_memory_model
from capacity.models.operations.arrival_memory import (
    arrival_memory,
)

BASE, KEPT, EACH = 20e6, 4e3, 500e3
LEVELS = (20, 60, 180, 540, 540)


def measured(held_s=2.25, each=EACH, late_s=0.4, noise_bytes=0.0, every_s=1.0):
    """Return a run's samples and points: five levels, each opened in 6 s and held for 12 s.

    Connections are counted *late_s* after they arrive.
    """
    at = [0.0]
    counts = [0.0]
    for level in LEVELS:
        at += [at[-1] + 6.0, at[-1] + 18.0]
        counts += [level, level]
    times = np.arange(0.37, at[-1], every_s)
    arrived = np.interp(times, at, counts)
    recent = arrived - np.interp(times - held_s, at, counts)
    noise = np.random.default_rng(1).normal(0.0, noise_bytes, len(times)) if noise_bytes else 0.0
    use = BASE + KEPT * arrived + each * recent + noise
    points = np.arange(0.0, at[-1], 0.5)
    return times, use, points, np.interp(points - late_s, at, counts)


@pytest.mark.parametrize("held_s", [1.6, 2.25, 5.0])
@pytest.mark.parametrize("late_s", [0.0, 0.4, 0.7])
def test_what_arrivals_hold_and_for_how_long_is_found_however_late_they_are_counted(held_s, late_s):
    found = arrival_memory(*measured(held_s=held_s, late_s=late_s, noise_bytes=2e5))

    assert EACH == pytest.approx(found.each_bytes.mid, rel=0.1)
    assert held_s == pytest.approx(found.held_s, rel=0.1)
    assert found.each_bytes.low <= EACH <= found.each_bytes.high
    assert KEPT == pytest.approx(found.kept_bytes, rel=0.5)


def test_memory_that_only_follows_the_connections_is_no_arrivals():
    assert arrival_memory(*measured(each=0.0, noise_bytes=2e5)) is None
    assert arrival_memory(*measured(each=-EACH)) is None


def test_the_term_has_to_halve_what_the_line_misses():
    def misses(each):
        times, use, points, counts = measured(each=each, noise_bytes=1e6)
        line = np.array([np.ones_like(times), np.interp(times, points, counts)]).T
        return np.square(use - line @ np.linalg.lstsq(line, use, rcond=None)[0]).sum()

    small, large = 5e3, 5e4
    assert arrival_memory(*measured(each=small, noise_bytes=1e6)) is None
    assert arrival_memory(*measured(each=large, noise_bytes=1e6)) is not None
    assert misses(0.0) / misses(large) < 0.5 < misses(0.0) / misses(small)


def test_what_stays_as_long_as_anybody_looks_is_no_arrivals():
    assert arrival_memory(*measured(held_s=20.0)) is None
    assert arrival_memory(*measured(held_s=8.0)) is not None


def test_a_few_samples_tell_nothing():
    times, use, *points = measured()
    few = slice(30, 50)

    assert arrival_memory(times[few], use[few], *points) is not None
    assert arrival_memory(times[few][1:], use[few][1:], *points) is None
    assert arrival_memory(times, use, points[0][:1], points[1][:1]) is None


def test_half_the_time_is_twice_the_memory_so_that_the_interval_allows_for_a_quarter_of_a_second():
    found = arrival_memory(*measured(held_s=2.25, late_s=0.4))
    each, held_s = found.each_bytes.mid, found.held_s

    assert found.each_bytes.low == pytest.approx(each * held_s / (held_s + 0.25), rel=0.01)
    assert found.each_bytes.high == pytest.approx(each * held_s / (held_s - 0.25), rel=0.01)
    assert found.each_bytes.confidence == 0.9


def test_noise_widens_the_interval_beyond_that():
    quiet, noisy = (
        arrival_memory(*measured(held_s=5.0, noise_bytes=noise)).each_bytes for noise in (0.0, 2e7)
    )

    assert noisy.high - noisy.low > 1.5 * (quiet.high - quiet.low)


def test_what_an_open_connection_keeps_is_never_less_than_nothing():
    times, use, points, counts = measured()
    falling = use - 2 * KEPT * np.interp(times, points, counts)

    assert arrival_memory(times, falling, points, counts).kept_bytes == 0.0


def test_times_are_tried_from_one_to_ten_seconds_three_percent_apart_and_delays_by_tenths():
    assert arrival_memory_model._STEPS == 79
    assert 10.0 ** (1 / 78) == pytest.approx(1.03, abs=5e-5)
    assert arrival_memory_model.DELAYS_S == pytest.approx(np.arange(-2, 11) / 10)


@pytest.mark.parametrize(("ratio", "is_believed"), [(0.56, False), (0.46, True)])
def test_the_term_is_believed_about_where_it_halves_the_squares(ratio, is_believed):
    """With sixty-odd samples less; it takes a little of the noise along."""

    def misses(each):
        times, use, points, counts = measured(each=each, noise_bytes=1e6, every_s=0.5)
        line = np.array([np.ones_like(times), np.interp(times, points, counts)]).T
        return np.square(use - line @ np.linalg.lstsq(line, use, rcond=None)[0]).sum()

    low, high = 0.0, 1e5
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if misses(0.0) / misses(middle) > ratio else (low, middle)
    found = arrival_memory(*measured(each=low, noise_bytes=1e6, every_s=0.5))

    assert is_believed == (found is not None)


def test_what_is_given_back_sooner_than_samples_come_has_no_time():
    assert arrival_memory(*measured(held_s=0.4)) is None


def test_without_points_nobody_arrived():
    times, use, *_ = measured()

    assert arrival_memory(times, use, [], []) is None
    assert arrival_memory(times, use, [0.0], [9.0]) is None


def test_the_unit_of_memory_changes_nothing():
    times, use, points, counts = measured()
    found, small = (arrival_memory(times, use / by, points, counts) for by in (1.0, 2 * EACH))

    assert small.each_bytes.mid == pytest.approx(found.each_bytes.mid / (2 * EACH))
    assert small.each_bytes.mid < 0.6
    assert found.held_s == small.held_s


def test_where_no_memory_is_used_arrivals_use_none():
    times, use, *points = measured()

    assert arrival_memory(times, 0.0 * use, *points) is None


@pytest.mark.parametrize("noise_bytes", [5e6, 2e7])
def test_the_interval_is_that_of_the_profile_of_the_likelihood(noise_bytes):
    """Of all times and delays whose squares are above the least by no more than χ² of 90 % allows."""
    times, use, points, counts = measured(held_s=5.0, noise_bytes=noise_bytes)
    found = arrival_memory(times, use, points, counts).each_bytes
    came = np.maximum(np.diff(counts, prepend=counts[0]), 0.0).cumsum()
    fits = []
    for held_s in np.geomspace(1.0, 10.0, 79):
        for delay_s in np.arange(-2, 11) / 10:
            recent = np.interp(times + delay_s, points, came) - np.interp(
                times + delay_s - held_s, points, came
            )
            line = np.array([np.ones_like(times), np.interp(times, points, counts), recent]).T
            costs = np.linalg.lstsq(line, use, rcond=None)[0]
            fits.append((np.square(use - line @ costs).sum(), held_s, costs[-1]))
    least, held_s, each = min(fits)
    near = [
        taken for squares, _, taken in fits if squares <= least * (1 + 2.706 / (len(times) - 5))
    ]

    assert found.mid == pytest.approx(each)
    assert found.low == pytest.approx(min(*near, each * held_s / (held_s + 0.25)))
    assert found.high == pytest.approx(max(*near, each * held_s / (held_s - 0.25)))
