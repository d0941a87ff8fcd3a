import pytest

from capacity.models.snapping import FRACTIONS, snapped_slope


@pytest.mark.parametrize("fraction", FRACTIONS)
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
