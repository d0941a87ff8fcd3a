from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.plan import DoubtKind
from capacity.planning.components import attribution
from capacity.planning.plan import plan
from capacity.planning.plan_doubts import plan_doubts
from capacity.planning.windows import plateau_windows


@pytest.fixture(scope="module")
def planned(venue):
    return plan(replace(venue, seed=2).record())


@pytest.fixture(scope="module")
def attributed(venue):
    record = venue.record()
    return attribution(plateau_windows(record.steps, record.samples, 0.0))


@pytest.fixture(scope="module")
def quiet(planned):
    """Walls that give no reason for a doubt of their own."""
    return tuple(
        replace(wall, cost=replace(wall.cost, residual_ratio=0.01)) for wall in planned.ladder
    )


@pytest.fixture(scope="module")
def doubts(planned, attributed, quiet):
    def found(capacity=985.0, highest=250.0, walls=quiet, attributed=attributed):
        return plan_doubts(Estimate.exactly(capacity), highest, walls, attributed, planned.mix)

    return found


def kinds(found):
    return [doubt.kind for doubt in found]


def test_a_quarter_of_the_capacity_is_far_enough(doubts):

    assert doubts(capacity=1000.0, highest=250.0) == []


@pytest.mark.parametrize(("highest", "words"), [(200.0, "5.0 times"), (50.0, "far beyond")])
def test_reaching_further_is_doubted_by_degrees(doubts, highest, words):
    found = doubts(capacity=1000.0, highest=highest)

    assert kinds(found) == [DoubtKind.EXTRAPOLATION]
    assert words in found[0].statement
    assert "250 connections" in found[0].remedy


def test_a_target_that_carried_more_than_its_capacity_is_a_contradiction(doubts):
    found = doubts(capacity=200.0, highest=250.0)

    assert kinds(found) == [DoubtKind.POOR_FIT]
    assert "more than the capacity of 200" in found[0].statement


def test_costs_that_moved_together_are_named_with_the_condition(doubts, attributed):
    merged = replace(
        attributed,
        separated=("connections",),
        merged=("deliveries_per_s", "requests_per_s"),
        condition_number=55.0,
    )
    found = doubts(attributed=merged)

    assert kinds(found) == [DoubtKind.COSTS_NOT_SEPARATED]
    assert "deliveries_per_s, requests_per_s" in found[0].statement
    assert "55" in found[0].statement


def test_a_component_that_never_varied_is_named(doubts, attributed):
    found = doubts(attributed=replace(attributed, constant=("requests_per_s",)))

    assert kinds(found) == [DoubtKind.COSTS_NOT_SEPARATED]
    assert "requests_per_s was the same" in found[0].statement


def test_a_poor_fit_of_one_of_the_first_walls_is_named(doubts, quiet):
    poor = replace(quiet[1], cost=replace(quiet[1].cost, residual_ratio=0.25))
    found = doubts(walls=(quiet[0], poor, quiet[2]))

    assert kinds(found) == [DoubtKind.POOR_FIT]
    assert "25%" in found[0].statement


@pytest.mark.parametrize(("second", "expected"), [(1090.0, [DoubtKind.NEAR_TIE]), (1110.0, [])])
def test_a_second_wall_within_a_tenth_is_a_near_tie(doubts, quiet, second, expected):
    walls = [
        replace(quiet[0], ceiling=Estimate.exactly(1000.0)),
        replace(quiet[1], ceiling=Estimate.exactly(second)),
    ]

    assert kinds(doubts(walls=walls)) == expected
