"""Climbs without an agent: no plan is possible, so that the profile's own bounds alone decide."""

import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.load import LoadVector
from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent, RunRecord
from capacity.loadgen.master.steps import adaptive_steps
from capacity.loadgen.master.steps.adaptive_steps import AdaptiveSteps
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.planning.safety.climb import Rules
from capacity.planning.safety.hold import HOLD_RATIO, MOST_HOLDS
from capacity.workload.profiles.experiment import Experiment, Factors
from capacity.workload.profiles.profile import Mix, Pace

LONGEST_RAMP_S = 60.0
BEGAN_AT = 1_700_000_000.0

AGENT = runpy.run_path(str(Path(__file__).parents[3] / "agent_samples.py"))
RECORDS = runpy.run_path(str(Path(__file__).parents[3] / "bare_records.py"))
observation_of = RECORDS["observation_of"]

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.0, poll_interval_s=1.0)
PACE = Pace(connects_per_s=400.0, ramp_timeout_s=15.0, settle_s=2.0, plateau_s=8.0)
RULES = Rules(
    start=20,
    growth=3.0,
    fraction=0.25,
    levels=9,
    longest_s=1e9,
    most=400,
    most_by="descriptors",
)
UNWATCHED = RECORDS["manifest_of"]()


class Climb:
    """An experiment, and what is observed of each of its steps."""

    def __init__(self, rules=RULES):
        experiment = Experiment(mix=MIX, pace=PACE, factors=Factors(can_idle=True, can_poll=False))
        begun = (experiment.baseline(), *experiment.level(20, [experiment.baseline()]))
        self.climber = AdaptiveSteps(experiment, rules, begun, ())
        self.offered = []
        self.take(begun)

    def take(self, steps, *, each_per_s=4.0, ramp_s=1.0, void=None):
        for step in steps:
            self.climber.after(
                observed(len(self.offered), step, each_per_s, ramp_s, void), MergedCounts()
            )
            self.offered.append(step)

    def follow(self, *, events=(), **observed):
        told = tuple(RunEvent(at=BEGAN_AT, kind=kind, detail={}) for kind in events)
        record = RunRecord(
            manifest=UNWATCHED, steps=(), samples=(), histograms={}, events=told, missing=()
        )
        steps = self.climber.next_steps(record)
        self.take(steps, **observed)
        return steps


def observed(index, step, each_per_s, ramp_s, void):
    begin = BEGAN_AT + 1000.0 * index
    subscribed = step.connections if step.subscriptions_per_connection else 0
    return observation_of(
        step,
        index=index,
        started_at=begin,
        plateau_started_at=begin + ramp_s + step.settle_s,
        plateau_ended_at=begin + ramp_s + step.settle_s + step.plateau_s,
        load=LoadVector(
            connections=float(step.connections),
            deliveries_per_s=each_per_s * subscribed,
            delivered_bytes_per_s=0.0,
            requests_per_s=0.0,
            handshakes_per_s=0.0,
        ),
        void=void,
    )


def test_it_climbs_by_its_growth_to_its_bound_then_goes_down_once_and_ends():
    climb = Climb()
    levels, decided = [], []
    for _ in range(5):
        levels.append([step.connections for step in climb.follow()])
        decided.append(climb.climber.take_decision())

    assert [[60, 60], [180, 180], [400, 400], [180], []] == levels
    assert [60, 180, 400, None, "-"] == [
        each.connections if each is not None else "-" for each in decided
    ]
    assert ("finished", {"climbed": climb.climber.reason}) == climb.climber.end()
    assert "descriptors" in climb.climber.reason


def test_it_is_careful_with_the_target_and_searches_for_no_limit():
    assert (True, False) == (Climb().climber.is_careful, Climb().climber.is_search)


def test_a_level_whose_updates_do_not_arrive_is_noticed_as_it_ends():
    climb = Climb()
    climb.follow()

    assert climb.climber.short is None

    level = climb.follow(each_per_s=1.0)

    assert climb.climber.short is None

    again = climb.follow(each_per_s=1.0)

    assert level[-1:] == again
    assert CutOffKind.SATURATED is climb.climber.short.kind


def test_a_level_that_was_only_disturbed_is_climbed_from():
    climb = Climb()
    climb.follow()
    climb.follow(each_per_s=1.0)
    climb.follow()

    assert climb.climber.short is None
    assert [400, 400] == [step.connections for step in climb.follow()]


def test_a_target_that_takes_connections_in_slowly_gets_levels_that_open_in_time():
    climb = Climb(replace(RULES, most=100_000))
    climb.follow(ramp_s=60.0)
    steps = climb.follow()

    # The last level opened one connection a second.
    assert 60 + LONGEST_RAMP_S == pytest.approx(steps[-1].connections)


@pytest.mark.parametrize(
    ("bearable_per_s", "offered_per_s", "most"),
    [(math.inf, 400.0, 180), (401.0, 400.0, 180), (399.0, 399.0, 180), (1.0, 1.0, 60 + 60)],
)
def test_connections_arrive_at_the_profiles_pace_or_what_arrivals_may_take(
    monkeypatch, bearable_per_s, offered_per_s, most
):
    monkeypatch.setattr(adaptive_steps, "arrival_pace_per_s", lambda *_: bearable_per_s)
    climb = Climb()
    climb.follow()
    steps = climb.follow()

    assert {(offered_per_s, most)} == {(step.connects_per_s, step.connections) for step in steps}


def test_a_level_that_only_the_generator_spoiled_is_the_last_one():
    climb = Climb()
    climb.follow(void="its timers fired late")

    assert () == climb.follow()

    kind, detail = climb.climber.end()

    assert ("aborted", 5) == (kind, detail["exit_code"])
    assert "its timers fired late" in detail["reason"]


def test_without_its_agent_it_waits_on_its_level_once_and_climbs_no_higher():
    climb = Climb()
    level = climb.follow()

    assert level[-1:] == climb.follow(events=["agent_lost"])
    assert () == climb.follow(events=["agent_lost"])

    kind, detail = climb.climber.end()

    assert ("aborted", 4) == (kind, detail["exit_code"])
    assert "the agent was lost and did not come back" in detail["reason"]
    assert "more than 60 connections" in detail["reason"]


def test_an_agent_that_comes_back_while_its_level_is_held_again_lets_it_climb_on():
    climb = Climb()
    climb.follow()
    climb.follow(events=["agent_lost"])

    assert [180, 180] == [
        step.connections for step in climb.follow(events=["agent_lost", "agent_back"])
    ]


def test_a_ramp_that_took_no_time_tells_no_rate_and_the_climb_goes_on():
    climb = Climb()
    climb.follow(ramp_s=0.0)

    assert climb.follow()


class Settling(Climb):
    """A climb at whose levels memory rises for a while, or for ever."""

    def __init__(self, rules=RULES, settled_after=99):
        self.settled_after = settled_after
        super().__init__(rules)

    def follow(self, **changes):
        steps = tuple(observed(n, step, 4.0, 1.0, None) for n, step in enumerate(self.offered))
        samples = tuple(
            sample_of(step, second, rises=step.index < self.settled_after)
            for step in steps
            for second in range(round(step.step.plateau_s))
        )
        record = RunRecord(
            manifest=UNWATCHED, steps=steps, samples=samples, histograms={}, events=(), missing=()
        )
        following = self.climber.next_steps(record)
        self.take(following, **changes)
        return following


def sample_of(step, second, *, rises):
    use = 1e6 * step.step.connections * (1.0 + 0.01 * second * rises)
    at = step.plateau_started_at + second
    return AGENT["sample_of"](round(at), at=at, used={Resource.MEMORY: use})


def plateaus(climb, times):
    return [[(step.connections, step.plateau_s) for step in climb.follow()] for _ in range(times)]


def test_where_memory_still_rises_the_highest_mix_is_held_on_three_times_at_most():
    climb = Settling(replace(RULES, most=60))

    assert plateaus(climb, 6) == [
        [(60, 8), (60, 8)],
        *[[(60, 8 * HOLD_RATIO)]] * MOST_HOLDS,
        [],
        [],
    ]
    assert climb.climber.end()[0] == "finished"


def test_it_is_held_on_no_longer_than_memory_rises():
    climb = Settling(replace(RULES, most=60), settled_after=5)

    assert plateaus(climb, 3) == [[(60, 8), (60, 8)], [(60, 8 * HOLD_RATIO)], []]


def test_after_the_longest_time_nothing_is_held_on():
    climb = Settling(replace(RULES, most=60, longest_s=4500.0))

    assert plateaus(climb, 4) == [[(60, 8), (60, 8)], [(60, 8 * HOLD_RATIO)], [], []]
