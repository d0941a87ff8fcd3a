import math

import numpy as np
import pytest

from capacity.models.breaks import highest_level_miss, is_raised_by_first_use, strongest_break

LEVELS = np.array([0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0])
DESIGN = np.stack([np.ones_like(LEVELS), LEVELS], axis=1)
AZURE_UNITS = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
AZURE_MESSAGES_PER_S = np.array([1e3, 2e3, 5e3, 8e3, 9e3, 20e3, 20e3])
"""Send to connection, by units (Azure SignalR Service, performance guide)."""


def noisy(use, ratio, seed):
    return use * (1.0 + ratio * np.random.default_rng(seed).standard_normal(len(use)))


@pytest.mark.parametrize("seed", range(5))
def test_a_jump_is_found_where_it_was_planted(seed):
    found = strongest_break(
        DESIGN, noisy(60e6 + 12e3 * LEVELS + 13e6 * (LEVELS > 400), 0.003, seed), LEVELS
    )

    assert (found.at, found.until) == (400.0, 500.0)
    assert found.jump == pytest.approx(13e6, rel=0.2)


@pytest.mark.parametrize("seed", range(5))
def test_a_bend_is_found_near_where_it_was_planted(seed):
    bent = 0.05 + 1e-4 * LEVELS + 3e-4 * np.maximum(LEVELS - 300.0, 0.0)
    found = strongest_break(DESIGN, noisy(bent, 0.01, seed), LEVELS)

    assert found.at in {200.0, 300.0, 400.0}
    assert found.bend == pytest.approx(3e-4, rel=0.3)


def test_a_bend_without_noise_is_found_where_it_was_planted_and_is_no_jump():
    found = strongest_break(DESIGN, 50.0 + 0.2 * LEVELS + np.maximum(LEVELS - 300.0, 0.0), LEVELS)

    assert (found.at, found.until, found.jump) == (300.0, 400.0, 0.0)
    assert found.bend == pytest.approx(1.0)


def test_noise_alone_seldom_looks_like_a_break():
    straight = 60e6 + 12e3 * LEVELS
    found = [strongest_break(DESIGN, noisy(straight, 0.01, seed), LEVELS) for seed in range(300)]

    assert sum(entry is not None for entry in found) <= 0.2 * 300


def test_an_exact_line_has_no_break():
    assert strongest_break(DESIGN, 1e6 + 5e3 * LEVELS, LEVELS) is None


@pytest.mark.parametrize("rows", [2, 5])
def test_too_few_steps_tell_of_no_break(rows):
    assert strongest_break(DESIGN[:rows], LEVELS[:rows] ** 2, LEVELS[:rows]) is None


def test_the_highest_level_is_held_against_the_line_of_the_others():
    use = 1.0 + 0.1 * LEVELS
    use[-1] *= 1.25

    assert highest_level_miss(DESIGN, use, LEVELS) == pytest.approx(math.log(1.25))


def test_a_published_table_of_units_bends_already_at_a_tenth_of_its_size():
    tested = AZURE_UNITS <= 10.0
    loads = AZURE_MESSAGES_PER_S[tested]
    design = np.stack([np.ones_like(loads), loads], axis=1)

    assert highest_level_miss(design, AZURE_UNITS[tested], loads) == pytest.approx(math.log(10 / 8))


def test_two_levels_below_the_highest_are_no_line_to_trust():
    assert highest_level_miss(DESIGN[:3], LEVELS[:3] + 1.0, LEVELS[:3]) is None


def used_first(levels, raised=5e6, each=26e3, noise=0.0, seed=1):
    """Return whether a line with so much added by the first use is told from one without."""
    stands = np.array(levels, dtype=float)
    use = 45e6 + raised * (stands > 0) + each * stands
    use *= 1.0 + noise * np.random.default_rng(seed).normal(size=len(stands))
    return is_raised_by_first_use(np.column_stack([np.ones(len(stands)), stands]), use, levels)


def test_what_the_first_use_allocates_is_told_from_a_steep_line():
    assert used_first([0, 8, 16, 24, 32])
    assert used_first([0, 1, 2, 3, 4])
    assert not used_first([0, 8, 16, 24, 32], raised=0.0)
    assert not used_first([0, 8, 16, 24, 32], raised=-5e6)


@pytest.mark.parametrize(
    ("levels", "told"), [([0, 0, 8, 8, 16, 16], False), ([0, 0, 8, 8, 16, 24], True)]
)
def test_three_levels_with_connections_are_needed_for_that(levels, told):
    assert used_first(levels) is told


def test_without_a_step_at_rest_there_is_no_first_use():
    assert not used_first([8, 16, 24, 32, 40])


def test_noise_is_seldom_taken_for_a_first_use():
    found = [used_first([0, 8, 16, 24, 32], 0.0, noise=0.01, seed=seed) for seed in range(200)]

    assert np.mean(found) < 0.1


def square_of(design, use, least):
    """Return the mean square of what a line misses, relative to the use or to *least* of it."""
    weights = 1.0 / np.maximum(use, least)
    weighted = design * weights[:, None]
    misses = use * weights - weighted @ np.linalg.lstsq(weighted, use * weights, rcond=None)[0]
    return float(np.mean(misses**2))


def test_the_evidence_is_the_fall_of_the_criterion():
    """Nine steps, one break, and beyond it a line that misses nothing, which counts as 0.01 %."""
    use = 5.0 + 0.2 * LEVELS + 3.0 * (LEVELS > 400)
    found = strongest_break(DESIGN, use, LEVELS)
    expected = 9 * math.log(square_of(DESIGN, use, 0.1 * use.max()) / 1e-8) - 2 * math.log(9)

    assert (found.evidence, found.jump, found.bend) == pytest.approx((expected, 3.0, 0.0))


def with_evidence(evidence, parameters, column, design, base):
    """Return a use with so much of the column added that the criterion falls by *evidence*."""
    small = 1e-4 * base.mean()
    unit = square_of(design, base + small * column, 0.1 * base.max()) / small**2
    square = 1e-8 * math.exp((evidence + parameters * math.log(len(base))) / len(base))
    return base + math.sqrt(square / unit) * column


@pytest.mark.parametrize(("evidence", "is_believed"), [(5.9, False), (6.1, True)])
def test_a_break_is_believed_from_a_fall_of_six_on(evidence, is_believed):
    base = 60e6 + 12e3 * LEVELS
    use = with_evidence(evidence, 2, (LEVELS > 400).astype(float), DESIGN, base)
    stands = np.array([0.0, 8, 16, 24, 32])
    design = np.column_stack([np.ones(5), stands])
    first = with_evidence(evidence, 1, (stands > 0).astype(float), design, 45e6 + 26e3 * stands)

    assert is_believed == (strongest_break(DESIGN, use, LEVELS) is not None)
    assert is_believed == is_raised_by_first_use(design, first, stands)


@pytest.mark.parametrize("after", [1, 6])
def test_a_break_has_two_levels_on_either_side(after):
    found = strongest_break(DESIGN, 60e6 + 13e6 * (LEVELS > LEVELS[after]), LEVELS)

    assert (found.at, found.until) == (LEVELS[after], LEVELS[after + 1])


@pytest.mark.parametrize("after", [0, 7])
def test_one_level_alone_is_no_side_of_a_break(after):
    found = strongest_break(DESIGN, 60e6 + 13e6 * (LEVELS > LEVELS[after]), LEVELS)

    assert found is None or found.at not in {LEVELS[0], LEVELS[7]}


@pytest.mark.parametrize(("rows", "is_found"), [(5, False), (6, True)])
def test_two_steps_more_than_coefficients_are_needed(rows, is_found):
    stands = np.repeat([0.0, 100, 200, 300], 2)[:rows] if rows == 5 else LEVELS[:rows]
    design = np.column_stack([np.ones(rows), stands])
    use = 60e6 + 13e6 * (stands > 100)

    assert is_found == (strongest_break(design, use, stands) is not None)


@pytest.mark.parametrize(("levels", "told"), [([0, 8, 16, 24], False), ([0, 8, 16, 24, 32], True)])
def test_two_steps_more_than_coefficients_are_needed_for_a_first_use_too(levels, told):
    assert used_first(levels) is told


def test_use_below_a_tenth_of_the_largest_weighs_as_a_tenth():
    """Of cores, all below 1, the idle step is off by its own size and is no news."""
    use = 1e-3 * LEVELS
    use[0] = 0.004

    missed = highest_level_miss(DESIGN, use, LEVELS)
    assert missed == pytest.approx(math.log(0.8 / forecast_of(use)), rel=1e-6)


def forecast_of(use):
    below = use[:-1]
    weights = 1.0 / np.maximum(below, 0.1 * use.max())
    costs = np.linalg.lstsq(DESIGN[:-1] * weights[:, None], below * weights, rcond=None)[0]
    return float(DESIGN[-1] @ costs)


def test_what_is_forecast_as_nothing_or_was_nothing_is_not_compared():
    assert highest_level_miss(DESIGN, 800.0 - LEVELS, LEVELS) is None
    assert highest_level_miss(DESIGN, 700.0 - LEVELS, LEVELS) is None
    assert highest_level_miss(DESIGN, 0.5 + 1e-6 * LEVELS, LEVELS) == pytest.approx(0.0)
    assert strongest_break(DESIGN, np.zeros(9), LEVELS) is None
