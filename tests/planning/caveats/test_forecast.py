import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource

FORECASTS = runpy.run_path(str(Path(__file__).with_name("forecasts.py")))
planned = FORECASTS["planned"]
attributed = FORECASTS["attributed"]
quiet = FORECASTS["quiet"]
doubts = FORECASTS["doubts"]


def kinds(found):
    return [doubt.kind for doubt in found]


@pytest.mark.parametrize("highest", [250.0, 220.0, 200.0])
def test_a_fifth_of_the_capacity_is_far_enough(doubts, highest):
    assert doubts(capacity=1000.0, highest=highest) == []


@pytest.mark.parametrize(
    ("highest", "words"), [(196.0, "5.1 times the tested 196"), (50.0, "far beyond")]
)
def test_reaching_further_is_doubted_by_degrees(doubts, quiet, highest, words):
    measured = [replace(quiet[0], resource=Resource.MEMORY), *quiet[1:]]
    found = doubts(capacity=1000.0, highest=highest, walls=measured)

    assert kinds(found) == [DoubtKind.EXTRAPOLATION]
    assert words in found[0].statement
    assert "250 connections" in found[0].remedy


def test_what_is_counted_is_carried_any_distance(doubts):

    assert doubts(capacity=1000.0, highest=50.0) == []


def test_a_target_that_carried_more_than_its_capacity_is_a_contradiction(doubts):
    found = doubts(capacity=200.0, highest=250.0)

    assert kinds(found) == [DoubtKind.POOR_FIT]
    assert "more than the computed capacity of 200" in found[0].statement


@pytest.mark.parametrize(("low", "doubted"), [(984.0, True), (985.0, False), (986.0, False)])
def test_a_wall_of_which_only_the_lower_end_is_known_is_doubted_below_the_capacity(
    doubts, quiet, low, doubted
):
    ceiling = Estimate(low=low, mid=math.inf, high=math.inf, confidence=0.9)
    found = doubts(walls=(*quiet, replace(quiet[-1], ceiling=ceiling)))

    assert (DoubtKind.POOR_FIT in kinds(found)) is doubted


def test_costs_that_moved_together_are_named_with_the_condition(doubts, attributed):
    merged = replace(
        attributed,
        separated=("connections",),
        merged=("deliveries_per_s", "requests_per_s"),
        condition_number=55.0,
    )
    found = doubts(attributed=merged)

    assert kinds(found) == [DoubtKind.COSTS_NOT_SEPARATED]
    assert "deliveries and requests" in found[0].statement
    assert "55" in found[0].statement


def test_a_component_that_never_varied_is_named(doubts, attributed):
    found = doubts(attributed=replace(attributed, constant=("requests_per_s",)))

    assert kinds(found) == [DoubtKind.COSTS_NOT_SEPARATED]
    assert "rate of requests was the same" in found[0].statement


@pytest.fixture(scope="module")
def poor(quiet):
    """Walls whose use leaves its line by a quarter, at the given lower ends of their intervals."""

    def walls(*lows):
        return [
            replace(
                wall,
                cost=replace(wall.cost, residual_ratio=0.25),
                ceiling=Estimate(low=low, mid=low + 2000.0, high=low + 4000.0, confidence=0.9),
            )
            for wall, low in zip(quiet, lows, strict=False)
        ]

    return walls


def test_poor_fits_of_walls_near_the_capacity_are_one_doubt(doubts, poor):
    found = doubts(walls=poor(900.0, 1900.0, 1980.0))

    assert kinds(found) == [DoubtKind.POOR_FIT]
    assert "deviates from the linear fit" in found[0].statement
    assert found[0].statement.count("25 %") == 2


def test_a_wall_that_surely_lies_at_twice_the_capacity_may_fit_poorly(doubts, poor):

    assert doubts(walls=poor(1970.0, 5000.0)) == []


def test_no_sentence_names_things_as_a_program_does(doubts, poor, attributed):
    merged = replace(
        attributed,
        merged=("deliveries_per_s",),
        constant=("requests_per_s",),
        condition_number=99.0,
    )
    walls = poor(900.0, 950.0)
    walls[0] = replace(walls[0], resource=Resource.TCP_MEMORY)
    found = doubts(capacity=1000.0, highest=20.0, walls=walls, attributed=merged)

    assert len(found) == 5
    assert [] == [doubt for doubt in found if "_" in doubt.statement + doubt.remedy]


@pytest.mark.parametrize(("second", "expected"), [(1090.0, [DoubtKind.NEAR_TIE]), (1110.0, [])])
def test_a_second_wall_within_a_tenth_is_a_near_tie(doubts, quiet, second, expected):
    walls = [
        replace(quiet[0], ceiling=Estimate.exactly(1000.0)),
        replace(quiet[1], ceiling=Estimate.exactly(second)),
    ]

    assert kinds(doubts(walls=walls)) == expected


@pytest.mark.parametrize(("second", "expected"), [(0.51, [DoubtKind.NEAR_TIE]), (0.49, [])])
def test_a_later_wall_that_is_first_more_often_is_told(doubts, quiet, second, expected):
    wide = Estimate(low=300.0, mid=1500.0, high=1600.0, confidence=0.9)
    walls = [
        replace(quiet[0], ceiling=Estimate.exactly(1000.0), binding_probability=1.0 - second),
        replace(quiet[1], ceiling=wide, binding_probability=second),
    ]
    found = doubts(walls=walls)

    assert expected == kinds(found)
    assert all("51 % of the bootstrap's replicates" in doubt.statement for doubt in found)
    assert all("300 connections at least" in doubt.statement for doubt in found)


@pytest.mark.parametrize(
    ("highest", "is_doubted"), [(1009.0, False), (1010.0, False), (1011.0, True)]
)
def test_more_than_a_hundredth_above_the_computed_capacity_is_a_poor_fit(
    doubts, highest, is_doubted
):
    found = kinds(doubts(capacity=1000.0, highest=highest))

    assert is_doubted is (DoubtKind.POOR_FIT in found)


def test_a_component_that_the_mix_has_none_of_is_not_named(doubts, attributed):
    assert doubts(attributed=replace(attributed, constant=("handshakes_per_s",))) == []


@pytest.mark.parametrize(("condition", "is_doubted"), [(30.0, False), (30.1, True)])
def test_costs_are_told_apart_up_to_a_condition_of_thirty(
    doubts, attributed, condition, is_doubted
):
    found = doubts(attributed=replace(attributed, condition_number=condition))

    assert is_doubted == bool(found)
    assert not is_doubted or "The cost of connections cannot be separated" in found[0].statement


def test_how_far_is_far_and_a_quarter_is_rounded_up(doubts, quiet):
    measured = [replace(quiet[0], resource=Resource.MEMORY)]
    [far] = doubts(capacity=2501.0, highest=250.0, walls=measured)
    [beyond] = doubts(capacity=2499.0, highest=250.0, walls=measured)

    assert "10 times the tested 250 connections, far beyond the 4" in far.statement
    assert "250 connections, beyond the 4" in beyond.statement
    assert "at least 626 connections" in far.remedy
    assert "at least 625 connections" in beyond.remedy


def test_a_capacity_of_less_than_one_is_contradicted_by_two(doubts, quiet):
    assert DoubtKind.POOR_FIT in kinds(doubts(capacity=0.5, highest=1.02))
    assert DoubtKind.POOR_FIT not in kinds(doubts(capacity=0.5, highest=1.005))


@pytest.mark.parametrize(("residual", "is_doubted"), [(0.1, False), (0.101, True)])
def test_a_tenth_off_its_line_is_a_poor_fit(doubts, quiet, residual, is_doubted):
    walls = [replace(quiet[0], cost=replace(quiet[0].cost, residual_ratio=residual))]

    assert is_doubted == (DoubtKind.POOR_FIT in kinds(doubts(walls=walls)))


def test_five_times_the_tested_is_meant(doubts, quiet):
    measured = [replace(quiet[0], resource=Resource.MEMORY)]

    assert doubts(capacity=1250.0, highest=250.0, walls=measured) == []
    assert len(doubts(capacity=1251.0, highest=250.0, walls=measured)) == 1
