import numpy as np
import pytest

from capacity.models.counted import snapped_slope, straight_rows


@pytest.mark.parametrize("fraction", [1 / 4, 1 / 3, 1 / 2, 1, 2, 3, 4])
def test_every_fraction_is_met_within_half_a_percent_without_noise(fraction):

    assert snapped_slope(fraction * 1.004, 0.0) == fraction


def test_a_slope_outside_its_noise_is_a_finding_and_stays():

    assert snapped_slope(1.02, 0.001) is None


def test_noise_widens_what_is_met():

    assert snapped_slope(1.02, 0.011) == 1.0


def test_noise_alone_does_not_make_a_fraction():

    assert snapped_slope(1.3, 10.0) is None


def test_nothing_is_not_a_fraction():

    assert snapped_slope(0.0, 0.0) is None


def rows(*levels):
    """Return levels and design, three windows a level."""
    repeated = np.repeat(np.array(levels, dtype=float), 3)
    return repeated, np.column_stack([np.ones(len(repeated)), repeated])


@pytest.mark.parametrize(
    ("fewest_open", "left_out"),
    [(0, 0), (10, 0), (11, 0), (30, 1), (75, 2), (150, 3)],
)
def test_levels_below_the_kink_are_left_out(fewest_open, left_out):
    levels, design = rows(0, 61, 122, 183, 245)
    use = np.maximum(10.0 + levels, fewest_open)

    assert straight_rows(design, use, list(levels)).tolist() == (
        [False] * 3 * left_out + [True] * 3 * (5 - left_out)
    )


def test_files_opened_with_the_first_connection_are_a_kink_too():
    levels, design = rows(0, 50, 100, 150)
    use = 10.0 + levels + 8.0 * (levels > 0)

    assert straight_rows(design, use, list(levels)).tolist() == [False] * 3 + [True] * 9


def test_two_levels_are_always_left():
    levels, design = rows(0, 50)

    assert straight_rows(design, np.maximum(10.0 + levels, 58.0), list(levels)).all()


@pytest.mark.parametrize("seed", range(10))
def test_noise_is_no_kink(seed):
    levels, design = rows(0, 50, 100, 150, 200)
    noise = np.random.default_rng(seed).normal(0.0, 20.0, len(levels))
    kept = straight_rows(design, 1000.0 + 2.0 * levels + noise, list(levels))

    assert kept.sum() >= 9


def test_levels_that_only_together_tell_costs_apart_stay_together():
    levels, _ = rows(0, 50, 100, 150)
    requests = np.where(levels == 0, 3.0, levels / 50)
    design = np.column_stack([np.ones(len(levels)), levels, requests])
    use = np.maximum(10.0 + levels + requests, 40.0)

    assert straight_rows(design, use, list(levels)).all()


@pytest.mark.parametrize(
    ("slope", "error", "expected"),
    [
        (1.0049, 0.0, 1.0),
        (1.0051, 0.0, None),
        (0.9951, 0.0, 1.0),
        (0.9949, 0.0, None),
        (1.02, 0.0101, 1.0),
        (1.02, 0.0099, None),
        (1.099, 10.0, 1.0),
        (1.101, 10.0, None),
        (0.2749, 10.0, 1 / 4),
        (0.2751, 10.0, None),
    ],
)
def test_a_fraction_is_met_within_half_a_percent_or_two_errors_and_a_tenth_at_most(
    slope, error, expected
):
    assert snapped_slope(slope, error) == expected


@pytest.mark.parametrize(("above", "left_out"), [(0.99, 0), (1.01, 1)])
def test_one_unit_off_the_line_may_be_rounding(above, left_out):
    levels, design = rows(0, 50, 100, 150)
    use = 10.0 + levels + above * (levels == 0)

    assert 3 * left_out == int((~straight_rows(design, use, list(levels))).sum())


@pytest.mark.parametrize(("above", "left_out"), [(2.9, 0), (3.1, 1)])
def test_what_the_others_are_off_the_line_themselves_is_allowed_too(above, left_out):
    """They are off by two, up and down."""
    levels = np.repeat([0.0, 50.0, 100.0, 150.0], 4)
    design = np.column_stack([np.ones(16), levels])
    use = 1000.0 + levels + np.tile([2.0, -2.0], 8) * (levels > 0) + above * (levels == 0)

    assert 4 * left_out == int((~straight_rows(design, use, list(levels))).sum())
