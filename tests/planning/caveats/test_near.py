from dataclasses import replace

import pytest

from capacity.domain.caveats import NEAR_RATIO
from capacity.domain.estimates import Estimate
from capacity.planning.caveats.near import is_near
from capacity.planning.plan import plan


@pytest.mark.parametrize(("ratio", "expected"), [(NEAR_RATIO * 0.99, True), (NEAR_RATIO, False)])
def test_a_wall_matters_whose_lower_end_is_within_twice_the_capacity(venue, ratio, expected):
    wall = plan(venue.record()).ladder[0]
    ceiling = Estimate(low=ratio * 1_000.0, mid=1e5, high=1e6, confidence=0.9)

    assert is_near(replace(wall, ceiling=ceiling), Estimate.exactly(1_000.0)) is expected
