from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.plan import Excuse
from capacity.domain.resources import Resource
from capacity.planning.plan import plan
from capacity.planning.safety.climb import (
    CAUTIOUS_GROWTH,
    LEAST_GROWTH,
    SHARP_RATIO,
    Rules,
    first_level,
    half_width_ratio,
    next_climb,
    next_level,
)
from capacity.workload.profiles.experiment import Experiment, Factors
from capacity.workload.profiles.profile import Mix, Pace

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.0, poll_interval_s=1.0)
PACE = Pace(connects_per_s=400.0, ramp_timeout_s=15.0, settle_s=2.0, plateau_s=7.0)

TARGETS = {
    "memory": ({Resource.MEMORY: (60e6, 60e3, 0.002)}, 120e6),
    "memory that is nearly full": ({Resource.MEMORY: (100e6, 60e3, 0.002)}, 112e6),
    "noisy memory": ({Resource.MEMORY: (60e6, 60e3, 0.01)}, 180e6),
    "an event loop": ({Resource.EVENT_LOOP: (0.01, 1e-3, 0.05)}, 1.0),
    "a CPU quota": ({Resource.CPU: (0.02, 4e-4, 0.1)}, 0.25),
    "threads": ({Resource.THREADS: (5, 1.0, 0.0)}, 300),
}
"""Resource -> use without load, of a connection, and its noise; and the limit."""
RULES = Rules(
    start=20,
    growth=3.0,
    fraction=0.25,
    levels=9,
    longest_s=140.0,
    most=4750,
    most_by="descriptors",
)
EXCUSE = Excuse(run="r", reason="", remedy="", generator=None, doubts=())


@pytest.fixture
def at(venue):
    """Return what follows a level whose plan has that wall, in connections."""
    record = venue.record()
    answer = plan(record)
    (wall,) = [each for each in answer.ladder if each.resource is Resource.MEMORY]

    def follow(level, low, mid, rules=RULES, levels=None, most_at_pace=10**9):
        ceiling = Estimate(low=low, mid=mid, high=2 * mid, confidence=0.9)
        found = replace(
            answer,
            ladder=(replace(wall, ceiling=ceiling),),
            capacity=ceiling,
            binding=Resource.MEMORY,
        )
        return next_climb(record, found, rules, levels or [level], most_at_pace=most_at_pace)

    return follow


@pytest.mark.parametrize(("most", "first"), [(4750, 20), (8, 8), (0, 1)])
def test_it_begins_with_a_handful(most, first):
    assert first == first_level(replace(RULES, most=most))


def test_it_goes_up_by_its_growth_where_everything_is_far_away(at):
    assert 60 == at(20, low=1e5, mid=2e5).connections


def test_it_never_exceeds_a_quarter_of_the_lowest_lower_bound(at):
    assert 250 == at(100, low=1000, mid=1200).connections


def test_uncertainty_alone_holds_it_back_a_little_only(at):
    assert CAUTIOUS_GROWTH * 100 == at(100, low=300, mid=4000).connections


def test_it_is_not_held_back_beyond_a_quarter_of_the_best_guess(at):
    assert 120 == at(100, low=300, mid=480).connections


@pytest.mark.parametrize("ratio", [LEAST_GROWTH - 0.01, LEAST_GROWTH + 0.01])
def test_it_ends_where_the_next_level_would_be_as_good_as_this_one(at, ratio):
    climb = at(1000, low=4000 * ratio, mid=4000 * ratio)

    assert (ratio > LEAST_GROWTH) == (climb.connections is not None)
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
    climb = next_climb(venue.record(), EXCUSE, RULES, [20], most_at_pace=10**9, used_s=used_s)

    assert goes_on == (climb.connections is not None)


def test_it_takes_no_level_that_takes_too_long_to_open(at):
    assert 150 == at(100, low=1e6, mid=1e6, most_at_pace=150).connections


def test_without_any_plan_it_goes_up_by_its_growth(venue):
    climb = next_climb(replace(venue.record(), steps=()), EXCUSE, RULES, [20], most_at_pace=10**9)

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

    assert "sharp" not in next_climb(record, undeclared, RULES, [245], most_at_pace=10**9).reason

    sharp = replace(undeclared, ladder=(descriptors, declared))

    climb = next_climb(record, sharp, RULES, [245], most_at_pace=10**9)

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

    assert "sharp" not in next_climb(record, near, RULES, [245], most_at_pace=10**9).reason


def test_a_further_level_narrows_the_answer(at, venue):
    answer = plan(venue.record())
    (memory,) = [wall for wall in answer.ladder if wall.resource is Resource.MEMORY]
    wide = Estimate(low=3000.0, mid=4000.0, high=5000.0, confidence=0.9)
    wide_answer = replace(answer, ladder=(replace(memory, ceiling=wide),), capacity=wide)
    further = next_level(wide_answer)

    assert 3 * answer.highest_connections == further.connections
    assert further.half_width_ratio < half_width_ratio(wide_answer)


def test_a_sharp_answer_has_nothing_to_gain(venue):
    answer = plan(venue.record())
    sharp = Estimate(
        low=1000 * (1 - SHARP_RATIO), mid=1000.0, high=1000 * (1 + SHARP_RATIO), confidence=0.9
    )

    assert next_level(replace(answer, capacity=sharp)) is None


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("seed", range(5))
def test_no_target_is_taken_beyond_three_tenths_of_what_it_holds(planted, cost, name, seed):
    """As shipped, and told nothing of the truth: 19,000 descriptors admit 4,750 connections."""
    ((resource, (baseline, each, noise)),), limit = TARGETS[name][0].items(), TARGETS[name][1]
    truth = (limit - baseline) / each
    experiment = Experiment(mix=MIX, pace=PACE, factors=Factors(can_idle=True, can_poll=False))
    steps = [experiment.baseline(), *experiment.level(20, [experiment.baseline()])]
    levels = [20]
    while True:
        target = planted(
            costs={
                resource: cost(baseline=baseline, connection=each, noise=noise),
                Resource.DESCRIPTORS: cost(baseline=15, connection=1.0),
            },
            limits={resource: limit, Resource.DESCRIPTORS: 19_000.0},
            steps=tuple(steps),
            seed=seed,
        )
        record = target.record()
        climb = next_climb(record, plan(record), RULES, levels, most_at_pace=10**9)
        if climb.connections is None:
            break
        levels.append(climb.connections)
        steps += experiment.level(climb.connections, steps)

    assert max(levels) <= max(20, 0.3 * truth)
    assert max(levels) >= 0.12 * truth
