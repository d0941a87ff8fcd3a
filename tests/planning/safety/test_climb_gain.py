"""What a further level of a climb gains, and that it harms no target."""

import math
import runpy
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.estimates import Estimate
from capacity.domain.histogram import Histogram, bucket_of
from capacity.domain.observation import CutOffKind
from capacity.domain.plan import MetLimit
from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec
from capacity.domain.words import RESOURCES
from capacity.models.uncertainty.intervals import Form, form_sigma
from capacity.planning.plan import plan
from capacity.planning.safety.climb import ceilings_so_far, half_width_ratio, next_climb, next_level
from capacity.workload.profiles.experiment import Experiment, Factors
from capacity.workload.profiles.profile import Mix, Pace

LEVELS = runpy.run_path(str(Path(__file__).with_name("levels.py")))
RULES = LEVELS["RULES"]
QUICK = LEVELS["QUICK"]
EXCUSE = LEVELS["EXCUSE"]
at = LEVELS["at"]
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
