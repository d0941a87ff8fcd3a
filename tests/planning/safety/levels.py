"""Plans after levels of a climb."""

from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.plan import Excuse
from capacity.domain.resources import Resource
from capacity.planning.plan import plan
from capacity.planning.safety.climb import Rules, next_climb
from capacity.planning.safety.opening_pace import OpeningPace

RULES = Rules(
    start=20,
    growth=3.0,
    fraction=0.25,
    levels=9,
    longest_s=140.0,
    most=4750,
    most_by="descriptors",
)
QUICK = OpeningPace(per_s=400.0, by="the profile's pace")
EXCUSE = Excuse(run="r", reason="", remedy="", generator=None, doubts=())


@pytest.fixture
def at(venue):
    """Return what follows a level whose plan has that wall, in connections."""
    record = venue.record()
    answer = plan(record)
    (wall,) = [each for each in answer.ladder if each.resource is Resource.MEMORY]

    def follow(level, low, mid, rules=RULES, levels=None, pace=QUICK):
        ceiling = Estimate(low=low, mid=mid, high=2 * mid, confidence=0.9)
        found = replace(
            answer,
            ladder=(replace(wall, ceiling=ceiling),),
            capacity=ceiling,
            binding=Resource.MEMORY,
        )
        return next_climb(record, found, rules, levels or [level], pace=pace)

    return follow
