import math
from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.bottlenecks.ladder import ladder
from capacity.planning.plan import plan


@pytest.fixture(scope="module")
def walls(venue):
    return plan(venue.record()).ladder


def at(wall, connections):
    return replace(wall, ceiling=Estimate.exactly(connections), gain=None)


def test_walls_are_ordered_and_gains_are_the_distances_between_them(walls):
    found = ladder([at(walls[0], 900.0), at(walls[1], 100.0), at(walls[2], 400.0)])

    assert [wall.ceiling.mid for wall in found] == [100.0, 400.0, 900.0]
    assert [wall.gain for wall in found] == [300.0, 500.0, None]


def test_what_is_gained_up_to_a_wall_without_a_place_is_not_known(walls):
    open_end = Estimate(low=50.0, mid=math.inf, high=math.inf, confidence=0.9)
    unplaced = replace(walls[1], ceiling=open_end)
    found = ladder([unplaced, at(walls[0], 900.0), replace(unplaced, resource=walls[2].resource)])

    assert found[0].ceiling.mid == 900.0
    assert [wall.gain for wall in found] == [None, None, None]


def test_of_equal_ceilings_the_cheapest_to_raise_comes_first(walls):
    found = ladder([at(wall, 100.0) for wall in reversed(walls)])

    assert [wall.resource for wall in found] == [
        Resource.DESCRIPTORS,
        Resource.EVENT_LOOP,
        Resource.MEMORY,
    ]
