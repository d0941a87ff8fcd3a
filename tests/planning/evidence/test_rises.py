import pytest

from capacity.domain.caveats import RISING_RATIO
from capacity.domain.resources import Resource
from capacity.domain.sample import Sample
from capacity.planning.evidence.rises import FEWEST_SAMPLES, rise_of

MEMORY = Resource.MEMORY


def samples(*uses):
    return [
        Sample(
            seq=seq,
            at=float(seq),
            interval_s=1.0,
            used={MEMORY: use},
            gauges={},
            counters={},
            missing={},
            target_started_at=0.0,
        )
        for seq, use in enumerate(uses)
    ]


def test_a_rise_has_its_slope_its_length_and_where_it_ended():
    rise = rise_of(samples(10.0, 12.0, 14.0, 16.0, 18.0), MEMORY)

    assert (rise.per_s, rise.lasted_s, rise.last, rise.middle) == pytest.approx((2, 4, 18, 14))
    assert rise.is_steady


def test_one_outlier_is_no_rise():
    assert not rise_of(samples(10.0, 10.0, 10.0, 10.0, 900.0), MEMORY).is_steady


def test_too_few_readings_tell_nothing():
    assert rise_of(samples(*[1.0] * FEWEST_SAMPLES), MEMORY) is not None
    assert rise_of(samples(*[1.0] * (FEWEST_SAMPLES - 1)), MEMORY) is None
    assert rise_of(samples(*[1.0] * 9), Resource.CPU) is None


@pytest.mark.parametrize(("factor", "is_material"), [(0.9, False), (1.1, True)])
def test_a_rise_is_material_from_a_hundredth_of_what_is_taken_above_the_rest(factor, is_material):
    step = factor * RISING_RATIO * 1000.0 / 4
    rise = rise_of(samples(*(6000.0 + step * n for n in range(5))), MEMORY)

    assert rise.is_material(5000.0) is is_material


def test_without_anything_above_the_rest_no_rise_is_material():
    assert not rise_of(samples(10.0, 12.0, 14.0, 16.0, 18.0), MEMORY).is_material(50.0)
