import numpy as np
import pytest

from capacity.models.operations.arrival_memory import (
    FEWEST_SAMPLES,
    HALVED_RATIO,
    LONGEST_S,
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
    assert misses(0.0) / misses(large) < HALVED_RATIO < misses(0.0) / misses(small)


def test_what_stays_as_long_as_anybody_looks_is_no_arrivals():
    assert arrival_memory(*measured(held_s=2 * LONGEST_S)) is None
    assert arrival_memory(*measured(held_s=0.8 * LONGEST_S)) is not None


def test_a_few_samples_tell_nothing():
    times, use, *points = measured()
    few = slice(30, 30 + FEWEST_SAMPLES)

    assert arrival_memory(times[few], use[few], *points) is not None
    assert arrival_memory(times[few][1:], use[few][1:], *points) is None
    assert arrival_memory(times, use, points[0][:1], points[1][:1]) is None
