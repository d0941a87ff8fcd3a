"""Bursts that grow with the connections are told from those that come by chance."""

import math

import numpy as np
import pytest

from capacity.models.bursts import burst_line

LEVELS = [50.0, 100.0, 150.0, 200.0, 250.0]


def test_planted_bursts_are_found():
    constant, each = burst_line(LEVELS, [1e6 + 15_000 * n for n in LEVELS])

    assert constant == pytest.approx(1e6, rel=1e-6)
    assert each == pytest.approx(15_000, rel=1e-6)


def test_bursts_of_chance_have_no_line():
    random = np.random.default_rng(5)
    found = [burst_line(LEVELS, list(random.exponential(4e6, 5))) for _ in range(200)]

    assert np.mean([line is None for line in found]) > 0.85


def test_three_levels_are_enough():
    assert burst_line(LEVELS[:3], [15_000.0 * n for n in LEVELS[:3]]) is not None


@pytest.mark.parametrize(("left_ratio", "is_line"), [(0.32, True), (0.345, False)])
def test_a_line_leaves_less_than_a_third_of_the_squares(left_ratio, is_line):
    """Of five levels apart from their middle: 10 squares of the slope, 14 of what no line explains."""
    along, across = np.array([-2, -1, 0, 1, 2]), np.array([2, -1, -2, -1, 2])
    wave = math.sqrt(left_ratio / (1.0 - left_ratio) * 10 / 14)

    assert is_line == (burst_line(LEVELS, list(10.0 + along + wave * across)) is not None)


def test_bursts_of_one_size_have_no_line():
    assert burst_line(LEVELS, [5e6] * 5) is None


def test_bursts_that_shrink_have_no_line():
    assert burst_line(LEVELS, [5e6, 4e6, 3e6, 2e6, 1e6]) is None


@pytest.mark.parametrize("levels", [[], [100.0], [100.0, 100.0, 200.0]])
def test_two_levels_are_too_few(levels):
    assert burst_line(levels, [1e6] * len(levels)) is None


def test_bursts_that_grow_however_little_have_a_line():
    constant, each = burst_line(LEVELS, [0.001 * n for n in LEVELS])

    assert (constant, each) == pytest.approx((0.0, 0.001), abs=1e-9)
