import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.caveats import RISING_RATIO
from capacity.domain.resources import Resource
from capacity.planning.evidence.rises import resident_per_s, rise_of

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]

MEMORY = Resource.MEMORY


def samples(*uses):
    return [sample_of(seq, used={MEMORY: use}) for seq, use in enumerate(uses)]


def test_a_rise_has_its_slope_its_length_and_where_it_ended():
    rise = rise_of(samples(10.0, 12.0, 14.0, 16.0, 18.0), MEMORY)

    assert (rise.per_s, rise.lasted_s, rise.last, rise.middle) == pytest.approx((2, 4, 18, 14))
    assert rise.is_steady


def test_one_outlier_is_no_rise():
    assert not rise_of(samples(10.0, 10.0, 10.0, 10.0, 900.0), MEMORY).is_steady


def test_too_few_readings_tell_nothing():
    assert rise_of(samples(*[1.0] * 5), MEMORY) is not None
    assert rise_of(samples(*[1.0] * 4), MEMORY) is None
    assert rise_of(samples(*[1.0] * 9), Resource.CPU) is None


@pytest.mark.parametrize(("factor", "is_material"), [(0.9, False), (1.1, True)])
def test_a_rise_is_material_from_a_hundredth_of_what_is_taken_above_the_rest(factor, is_material):
    step = factor * RISING_RATIO * 1000.0 / 4
    rise = rise_of(samples(*(6000.0 + step * n for n in range(5))), MEMORY)

    assert rise.is_material(5000.0) is is_material


def test_without_anything_above_the_rest_no_rise_is_material():
    assert not rise_of(samples(10.0, 12.0, 14.0, 16.0, 18.0), MEMORY).is_material(50.0)


@pytest.mark.parametrize(
    ("uses", "is_steady"),
    [((1, 2, 3, 5, 4), True), ((1, 3, 2, 5, 4), True), ((2, 3, 1, 5, 4), False)],
)
def test_most_pairs_have_to_rise(uses, is_steady):
    """Of ten pairs nine, eight and seven rise: τ of 0.8, 0.6 and 0.4."""
    assert rise_of(samples(*map(float, uses)), MEMORY).is_steady is is_steady


def test_what_cannot_be_read_is_not_among_the_readings():
    read = samples(1.0, float("nan"), 2.0, -1.0, 3.0)

    assert rise_of(read, MEMORY) is None
    assert rise_of(read, MEMORY, fewest=3).middle == 2.0


def test_the_slope_of_what_is_resident_is_read_of_its_gauge():
    read = [
        replace(sample, gauges={"resident_bytes": 3.0 * sample.at})
        for sample in samples(*[1.0] * 5)
    ]

    assert resident_per_s(read) == pytest.approx(3.0)
    assert resident_per_s(read[1:]) is None
    assert resident_per_s(samples(*[1.0] * 5)) is None
