import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.estimates import Estimate
from capacity.domain.units import MONTH_S
from capacity.models.operations.growth import demand_after, months_until_exhausted


def exactly(value):
    return Estimate.exactly(value)


def around(mid, width):
    return Estimate(low=mid - width, mid=mid, high=mid + width, confidence=0.9)


def test_five_per_cent_a_month_is_eighty_in_a_year():
    found = demand_after(1_000.0, around(0.05, 0.02), 12.0)

    assert found.mid == pytest.approx(1_795.856)  # 1.05¹²
    assert found.low == pytest.approx(1_000.0 * 1.03**12)
    assert found.high == pytest.approx(1_000.0 * 1.07**12)


def test_demand_doubles_in_14_months_at_five_per_cent():
    [months] = months_until_exhausted(1_000.0, exactly(2_000.0), exactly(0.05), [0.5])

    assert months == pytest.approx(math.log(2) / math.log(1.05))


def test_in_the_middle_of_what_is_likely_is_what_the_middle_gives():
    [months] = months_until_exhausted(1_000.0, exactly(2_000.0), around(0.05, 0.02), [0.5])

    assert months == pytest.approx(math.log(2) / math.log(1.05), rel=1e-12)


@pytest.mark.parametrize(
    ("capacity", "growth", "months"),
    [
        (900.0, 0.05, 0.0),  # short already
        (900.0, -0.05, 0.0),
        (2_000.0, 0.0, math.inf),
        (2_000.0, -0.99, math.inf),
        (0.0, 0.05, 0.0),
    ],
)
def test_now_and_never_are_dates_too(capacity, growth, months):
    assert [months] == months_until_exhausted(1_000.0, exactly(capacity), exactly(growth), [0.5])


def test_dates_are_quantiles_of_drawn_growths_and_capacities():
    normals = np.random.default_rng(5).standard_normal((2, 200_000))
    growths = 0.05 + 0.01 * normals[0]
    capacities = 3_000.0 * np.exp(0.1 * normals[1])
    months = np.log(capacities / 1_000.0) / np.log1p(growths)
    capacity = Estimate(
        low=3_000.0 * math.exp(-0.16449),
        mid=3_000.0,
        high=3_000.0 * math.exp(0.16449),
        confidence=0.9,
    )

    found = months_until_exhausted(1_000.0, capacity, around(0.05, 0.016449), [0.1, 0.5, 0.9])

    assert found == pytest.approx(np.quantile(months, [0.1, 0.5, 0.9]), rel=0.01)


@given(
    capacity=st.floats(100.0, 1e6),
    more=st.floats(1.0, 10.0),
    growth=st.floats(-0.2, 0.5),
    width=st.floats(0.0, 0.1),
)
def test_more_capacity_never_lasts_shorter(capacity, more, growth, width):
    def dates(connections):
        return months_until_exhausted(
            1_000.0, exactly(connections), around(growth, width), [0.1, 0.5, 0.9]
        )

    pairs = zip(dates(capacity), dates(capacity * more), strict=True)

    assert all(after >= before for before, after in pairs)


def test_a_month_is_a_twelfth_of_a_year_of_365_days_and_a_quarter():
    assert MONTH_S == 2_629_800.0


def test_what_may_shrink_to_nothing_and_below_never_exhausts():
    assert [math.inf] == months_until_exhausted(1_000.0, exactly(2_000.0), around(-0.9, 0.3), [0.5])


def test_each_side_of_the_middle_has_a_width_of_its_own():
    lopsided = Estimate(low=0.04, mid=0.05, high=0.08, confidence=0.9)
    found = months_until_exhausted(1_000.0, exactly(2_000.0), lopsided, [0.05, 0.5, 0.95])

    assert found == pytest.approx(
        [math.log(2) / math.log1p(growth) for growth in (0.08, 0.05, 0.04)], rel=0.01
    )


def test_the_interval_of_a_capacity_is_met_on_either_side():
    lopsided = Estimate(low=1_500.0, mid=2_000.0, high=4_000.0, confidence=0.9)
    found = months_until_exhausted(1_000.0, lopsided, exactly(0.05), [0.05, 0.5, 0.95])

    assert found == pytest.approx([math.log(n) / math.log(1.05) for n in (1.5, 2.0, 4.0)], rel=0.02)


def test_shrinking_demand_has_its_interval_the_other_way_round():
    found = demand_after(1_000.0, Estimate(low=-0.1, mid=0.0, high=0.1, confidence=0.8), -1.0)

    assert (found.low, found.mid, found.high) == pytest.approx((1000 / 1.1, 1000.0, 1000 / 0.9))
    assert found.confidence == 0.8
