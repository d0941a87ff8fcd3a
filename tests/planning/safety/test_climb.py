import math
from collections import Counter
from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.histogram import Histogram, bucket_of
from capacity.domain.observation import CutOffKind
from capacity.domain.plan import Excuse, MetLimit
from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec
from capacity.domain.words import RESOURCES
from capacity.models.uncertainty.intervals import Form, form_sigma
from capacity.planning.plan import plan
from capacity.planning.safety.climb import (
    LONGEST_RAMP_S,
    Rules,
    ceilings_so_far,
    first_level,
    half_width_ratio,
    next_climb,
    next_level,
)
from capacity.planning.safety.opening_pace import OpeningPace
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
    sharp = Estimate(low=990.0, mid=1000.0, high=1010.0, confidence=0.9)

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
        climb = next_climb(record, plan(record), RULES, levels, pace=QUICK)
        if climb.connections is None:
            break
        levels.append(climb.connections)
        steps += experiment.level(climb.connections, steps)

    assert max(levels) <= max(20, 0.3 * truth)
    assert max(levels) >= 0.12 * truth


def answered(venue, **changes):
    """Return the plan with memory alone as its wall."""
    answer = plan(venue.record())
    (memory,) = [wall for wall in answer.ladder if wall.resource is Resource.MEMORY]
    ceiling = changes.pop("ceiling")
    return replace(answer, ladder=(replace(memory, ceiling=ceiling),), capacity=ceiling, **changes)


def around(mid, half_width):
    return Estimate(low=mid - half_width, mid=mid, high=mid + half_width, confidence=0.9)


def test_noise_shrinks_with_the_level_and_the_error_of_the_form_with_the_reach(venue):
    found = next_level(answered(venue, ceiling=around(4000.0, 1000.0)))
    now, then = (1.645 * form_sigma(Form.MEMORY, 4000.0 / level) for level in (245, 735))

    assert found.connections == 735
    assert found.half_width_ratio == pytest.approx(
        math.hypot(math.sqrt(0.25**2 - now**2) / 3.0, then)
    )


def test_a_further_level_stays_below_the_lower_end_of_the_ceiling(venue):
    low = Estimate(low=400.9, mid=900.0, high=1400.0, confidence=0.9)

    assert next_level(answered(venue, ceiling=low)).connections == 400
    assert next_level(answered(venue, ceiling=replace(low, low=246.0))).connections == 246
    assert next_level(answered(venue, ceiling=replace(low, low=245.9))) is None


@pytest.mark.parametrize(("ratio", "is_worth_it"), [(0.0099, False), (0.0101, True)])
def test_an_answer_is_sharp_at_a_hundredth(venue, ratio, is_worth_it):
    sharp = answered(venue, ceiling=around(4000.0, 4000.0 * ratio))
    # A count has no form to be wrong about.
    sharp = replace(sharp, ladder=(replace(sharp.ladder[0], resource=Resource.THREADS),))

    assert half_width_ratio(sharp) == pytest.approx(ratio)
    assert is_worth_it == (next_level(sharp) is not None)


@pytest.mark.parametrize(
    "ceiling",
    [Estimate(low=500.0, mid=900.0, high=math.inf, confidence=0.9), around(0.0, 1.0)],
)
def test_without_an_end_or_a_middle_there_is_no_width(venue, ceiling):
    assert half_width_ratio(answered(venue, ceiling=ceiling)) == math.inf
    assert next_level(answered(venue, ceiling=ceiling)) is None


def test_where_the_run_met_its_limit_a_further_level_is_none(venue):
    met = MetLimit(
        kind=CutOffKind.DIED, resource=Resource.UNIDENTIFIED, held=1, failed=2, statement="so"
    )
    answer = answered(venue, ceiling=around(4000.0, 1000.0))

    assert next_level(replace(answer, met=met)) is None
    assert next_level(replace(answer, ladder=())) is None


@pytest.mark.parametrize(
    ("capacity", "declared_low", "is_sharp"),
    [
        (985.0, 1970.0, True),
        (985.0, 1969.0, False),
        (2450.0, 9000.0, True),
        (2451.0, 9000.0, False),
    ],
)
def test_a_count_is_sharp_up_to_ten_times_the_tested_and_with_nothing_within_twice_of_it(
    venue, capacity, declared_low, is_sharp
):
    record = venue.record()
    answer = plan(record)
    (descriptors,) = [w for w in answer.ladder if w.resource is Resource.DESCRIPTORS]
    declared = replace(
        descriptors,
        resource=Resource.APPLICATION_CONNECTIONS,
        ceiling=Estimate(low=declared_low, mid=1e4, high=2e4, confidence=0.9),
    )
    counted = replace(
        answer, ladder=(descriptors, declared), capacity=Estimate.exactly(capacity), met=None
    )
    climb = next_climb(record, counted, RULES, [245], pace=QUICK)

    assert is_sharp == ("not narrow the interval" in climb.reason)


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


def test_an_objective_admits_at_least_what_it_would_if_it_grew_in_proportion(venue):
    record = venue.record()
    target = TargetSpec.from_document(
        {"slo": {"delivery_delay": {"quantile": 0.5, "limit_s": 0.05}}}
    )
    delays = Histogram(Counter({bucket_of(10_000): 100}))
    top = record.steps[-1]
    slow = replace(
        record,
        manifest=replace(record.manifest, target=target),
        histograms={(top.index, "delivery_delay"): delays},
    )
    [(name, (low, mid))] = ceilings_so_far(slow, EXCUSE).items()

    assert (name, low) == ("delivery delay", mid)
    assert low == pytest.approx(245 * 50.0 / 10.0, rel=0.05)
    walls = ceilings_so_far(record, plan(record))
    assert [walls[RESOURCES[wall.resource]] for wall in plan(record).ladder] == [
        (wall.ceiling.low, wall.ceiling.mid) for wall in plan(record).ladder
    ]


@pytest.mark.parametrize(
    ("mid", "high", "ratio"), [(1.0, 1.5, 0.5), (0.0, 1.5, math.inf), (1.0, math.inf, math.inf)]
)
def test_an_interval_is_as_wide_as_its_middle_says_where_there_is_one(venue, mid, high, ratio):
    answer = plan(venue.record())
    capacity = Estimate(low=mid / 2, mid=mid, high=high, confidence=0.9)

    assert ratio == half_width_ratio(replace(answer, capacity=capacity))
