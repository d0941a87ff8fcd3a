import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.plan import plan
from capacity.planning.safety.climb import LONGEST_RAMP_S, first_level, next_climb
from capacity.planning.safety.opening_pace import OpeningPace

LEVELS = runpy.run_path(str(Path(__file__).with_name("levels.py")))
RULES = LEVELS["RULES"]
QUICK = LEVELS["QUICK"]
EXCUSE = LEVELS["EXCUSE"]
at = LEVELS["at"]


@pytest.mark.parametrize(("most", "first"), [(4750, 20), (8, 8), (0, 1)])
def test_it_begins_with_a_handful(most, first):
    assert first == first_level(replace(RULES, most=most))


def test_it_goes_up_by_its_growth_where_everything_is_far_away(at):
    assert 60 == at(20, low=1e5, mid=2e5).connections


def test_it_never_exceeds_a_quarter_of_the_lowest_lower_bound(at):
    assert 250 == at(100, low=1000, mid=1200).connections


def test_uncertainty_alone_holds_it_back_a_little_only(at):
    assert 200 == at(100, low=300, mid=4000).connections


def test_it_is_not_held_back_beyond_a_quarter_of_the_best_guess(at):
    assert 120 == at(100, low=300, mid=480).connections


@pytest.mark.parametrize("ratio", [1.09, 1.11])
def test_it_ends_where_the_next_level_would_be_as_good_as_this_one(at, ratio):
    climb = at(1000, low=4000 * ratio, mid=4000 * ratio)

    assert (ratio > 1.1) == (climb.connections is not None)
    assert "memory of the target" in climb.reason


def test_what_the_limits_admit_before_any_load_bounds_it(at):
    assert 4750 == at(2000, low=1e6, mid=1e6).connections

    ended = at(4750, low=1e6, mid=1e6)

    assert ended.connections is None
    assert "descriptors" in ended.reason


def test_it_ends_after_as_many_levels_as_the_profile_says(at):
    climb = at(60, low=1e6, mid=1e6, levels=[20, 60], rules=replace(RULES, levels=2))

    assert climb.connections is None
    assert "2 levels" in climb.reason


@pytest.mark.parametrize(("used_s", "goes_on"), [(139.0, True), (140.0, False)])
def test_no_level_begins_after_the_time_of_the_profile(venue, used_s, goes_on):
    climb = next_climb(venue.record(), EXCUSE, RULES, [20], pace=QUICK, used_s=used_s)

    assert goes_on == (climb.connections is not None)


def test_it_takes_no_level_that_takes_too_long_to_open_and_says_who_held_it_back(at):
    climb = at(100, low=1e6, mid=1e6, pace=OpeningPace(per_s=50 / LONGEST_RAMP_S, by="whom"))

    assert (150, "bounded by whom") == (climb.connections, climb.reason)


@pytest.mark.parametrize(("more", "goes_on"), [(9, False), (11, True)])
def test_it_ends_where_hardly_any_more_would_be_open_in_time(at, more, goes_on):
    climb = at(100, low=1e6, mid=1e6, pace=OpeningPace(per_s=more / LONGEST_RAMP_S, by="whom"))

    assert goes_on == (climb.connections is not None)
    if not goes_on:
        assert "only 9 connections more would be open in 1 min, because of whom" == climb.reason


def test_a_level_that_only_the_growth_bounds_accuses_nobody(at):
    climb = at(20, low=1e5, mid=2e5, pace=OpeningPace(per_s=1.0, by="whom"))

    assert (60, "bounded by the profile's growth, 3 times the level before") == (
        climb.connections,
        climb.reason,
    )


@pytest.mark.parametrize(("lost_s", "told"), [(0.9, False), (46.0, True)])
def test_the_time_that_slow_openings_took_is_told_where_time_is_over(venue, lost_s, told):
    pace = OpeningPace(per_s=1.0, by="whom", lost_s=lost_s)
    climb = next_climb(venue.record(), EXCUSE, RULES, [20], pace=pace, used_s=140.0)

    assert told == ("46 s of it lost while connections opened slowly; last by whom" in climb.reason)


def test_without_any_plan_it_goes_up_by_its_growth(venue):
    climb = next_climb(replace(venue.record(), steps=()), EXCUSE, RULES, [20], pace=QUICK)

    assert 60 == climb.connections


def test_it_ends_where_a_counted_limit_is_known_exactly_and_no_other_is_near(venue):
    record = venue.record()
    answer = plan(record)
    (descriptors,) = [w for w in answer.ladder if w.resource is Resource.DESCRIPTORS]
    declared = replace(
        descriptors,
        resource=Resource.APPLICATION_CONNECTIONS,
        ceiling=Estimate.exactly(9000.0),
    )
    undeclared = replace(answer, ladder=(descriptors,), capacity=Estimate.exactly(985.0))

    assert "sharp" not in next_climb(record, undeclared, RULES, [245], pace=QUICK).reason

    sharp = replace(undeclared, ladder=(descriptors, declared))

    climb = next_climb(record, sharp, RULES, [245], pace=QUICK)

    assert climb.connections is None
    assert "another level would not narrow the interval" in climb.reason

    near = replace(
        sharp,
        ladder=(
            descriptors,
            declared,
            replace(
                descriptors,
                resource=Resource.MEMORY,
                ceiling=Estimate(low=1900.0, mid=3000.0, high=4000.0, confidence=0.9),
            ),
        ),
    )

    assert "sharp" not in next_climb(record, near, RULES, [245], pace=QUICK).reason


@pytest.mark.parametrize(
    ("level", "levels", "reason"),
    [
        (4749, 8, "as close as is safe"),
        (4750, 8, "reached the bound set by descriptors: 4750 connections"),
        (20, 9, "all 9 levels of the profile are done"),
    ],
)
def test_why_it_ends_is_said(at, level, levels, reason):
    assert reason in at(level, low=1e4, mid=1e4, levels=[1] * (levels - 1) + [level]).reason


def test_the_estimate_that_bounds_it_is_said_whole(at):
    climb = at(1000, low=4000, mid=4200)

    assert climb.reason == (
        "1,000 connections is as close as is safe to 25 % of the ceiling of memory of the target"
        " (estimate 4,200)"
    )
