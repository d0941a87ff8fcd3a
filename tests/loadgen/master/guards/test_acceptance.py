import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.histogram import bucket_of
from capacity.loadgen.master.guards.acceptance import breach_of, miss_of, surely_received_per_s
from capacity.loadgen.master.steps.step_summary import observe
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.settings.targets.slo import Slo
from capacity.workload.profiles.profile import Phase

LEAST_DURATIONS = 20
STEP = runpy.run_path(str(Path(__file__).parents[3] / "bare_records.py"))["step_of"]()
TIMES = {Phase.RAMP: 100.0, Phase.SETTLE: 101.0, Phase.PLATEAU: 102.0}
SLO = Slo.model_validate({"delivery_delay": {"quantile": 0.95, "limit_s": 0.1}})


@pytest.fixture
def counted(report):
    """Return the counts of a step's last phase, and the step summed up; *delivered* of each report."""

    def count(*, times=TIMES, connections_peak=10, delivered=(), **changes):
        merged = MergedCounts(open_connections=[10, 10])
        for deliveries in delivered:
            merged.add("a", report(seconds=4.0 / len(delivered), deliveries=deliveries))
        if not delivered:
            merged.add("a", report(seconds=4.0, **changes))
        observation = observe(
            index=1,
            step=STEP,
            times=times,
            ended_at=106.0,
            merged_counts={list(times)[-1]: merged},
            connections_peak=connections_peak,
            users=11,
            workers=1,
            disturbances=(),
        )
        return merged, observation

    return count


@pytest.fixture
def judged(counted):
    """Return what a step misses whose last phase counted *changes*."""

    def judge(*, slo=None, usual_per_s=0.0, **changes):
        merged, observation = counted(**changes)
        return miss_of(observation, merged, slo, usual_per_s)

    return judge


def test_a_step_with_all_connections_open_receiving_and_in_time_passes(judged):
    in_time = {"delivery_delay": {bucket_of(50_000): LEAST_DURATIONS}}

    assert judged(deliveries=40, histograms=in_time, slo=SLO, usual_per_s=1.0) is None


def test_a_step_that_its_ramp_did_not_reach_fails_with_what_was_open(judged):
    miss = judged(times={Phase.RAMP: 100.0}, connections_peak=7)

    assert ("not_all_open", 7, 10) == (miss.condition, miss.number, miss.bound)
    assert "7 of 10 connections were open 5 s after the last one was started" in miss.statement


def test_connections_that_the_target_ends_fail_a_step_on_its_plateau_and_on_its_way_there(judged):
    held = judged(deliveries=40, lost=2)
    on_the_way = judged(times={Phase.RAMP: 100.0}, lost=3)

    assert ("dropped", 2, 0) == (held.condition, held.number, held.bound)
    assert ("dropped", 3) == (on_the_way.condition, on_the_way.number)


@pytest.mark.parametrize(("deliveries", "condition"), [(31, "not_receiving"), (33, None)])
def test_a_connection_that_gets_less_than_its_share_is_not_served(judged, deliveries, condition):
    miss = judged(delivered=[100 * deliveries / 8] * 8, usual_per_s=100.0)  # 4,000 on 10 of them.

    assert condition == (miss.condition if miss else None)


@pytest.mark.parametrize(
    ("deliveries", "usual_per_s", "condition"),
    [
        (1900, 100.0, "not_receiving"),
        (2100, 100.0, None),
        (9, 1.0, "not_receiving"),
        (11, 1.0, None),
    ],
)
def test_a_plateau_too_short_for_an_error_is_short_of_its_share_below_half_with_an_update_more(
    judged, deliveries, usual_per_s, condition
):
    miss = judged(delivered=[deliveries], usual_per_s=usual_per_s)

    assert condition == (miss.condition if miss else None)


def test_slow_readers_of_a_short_plateau_are_not_compared(counted):
    merged, observation = counted(delivered=[0])
    slow = replace(observation, step=replace(STEP, slow_readers_ratio=0.2))

    assert "not_receiving" == miss_of(observation, merged, None, 100.0).condition
    assert miss_of(slow, merged, None, 100.0) is None
    assert 0.0 == surely_received_per_s(replace(slow, load=counted(delivered=[4000])[1].load))


@pytest.mark.parametrize(("swing", "condition"), [(0, "not_receiving"), (200, None)])
def test_a_rate_that_swings_is_short_only_beyond_its_error(judged, swing, condition):
    swinging = [387.5 + swing, 387.5 + swing, 387.5 - swing, 387.5 - swing] * 2

    miss = judged(delivered=swinging, usual_per_s=100.0)

    assert condition == (miss.condition if miss else None)


def test_what_a_connection_surely_received_is_less_the_more_its_rate_swings(counted):
    steady, swinging = [500.0] * 8, [600.0, 600.0, 400.0, 400.0] * 2

    assert pytest.approx(100.0, rel=0.02) == surely_received_per_s(counted(delivered=steady)[1])
    assert 60.0 < surely_received_per_s(counted(delivered=swinging)[1]) < 90.0
    assert 0.0 == surely_received_per_s(counted()[1])
    assert 0.0 == surely_received_per_s(replace(counted(delivered=steady)[1], load=None))


def test_a_rate_is_sure_beyond_two_of_its_standard_errors(counted):
    seen = counted(delivered=[600.0, 600.0, 400.0, 400.0] * 2)[1]

    for error_ratio in (0.1, 0.25):
        erring = replace(seen, delivery_rate_error_ratio=error_ratio)
        assert 100.0 * (1.0 - 2.0 * error_ratio) == pytest.approx(surely_received_per_s(erring))
    assert 0.0 == surely_received_per_s(replace(seen, delivery_rate_error_ratio=0.6))


@pytest.mark.parametrize(
    ("slow", "condition"), [(LEAST_DURATIONS, "delivery_delay"), (LEAST_DURATIONS - 1, None)]
)
def test_an_objective_is_missed_by_enough_durations_only(judged, slow, condition):
    miss = judged(deliveries=40, histograms={"delivery_delay": {bucket_of(300_000): slow}}, slo=SLO)

    assert condition == (miss.condition if miss else None)


def test_an_objective_that_is_met_to_the_last_digit_is_met(report):
    merged = MergedCounts()
    merged.add("a", report(histograms={"delivery_delay": {bucket_of(300_000): 50}}))
    took_s = merged.quantiles("delivery_delay").p95_s

    for limit_s, is_missed in ((took_s, False), (0.999 * took_s, True)):
        slo = Slo.model_validate({"delivery_delay": {"quantile": 0.95, "limit_s": limit_s}})
        assert is_missed == (breach_of(merged, slo) is not None)


def test_connections_that_are_open_and_not_served_fail_a_step(judged):
    miss = judged(deliveries=40, followers=10, unserved=4)

    assert ("not_served", 4, 0) == (miss.condition, miss.number, miss.bound)


def test_a_missed_objective_is_told_with_its_number_and_its_bound(judged):
    miss = judged(deliveries=40, histograms={"delivery_delay": {bucket_of(300_000): 50}}, slo=SLO)

    assert (pytest.approx(0.3, rel=0.1), 0.1) == (miss.number, miss.bound)
    assert "delivery delay p95 was" in miss.statement


def test_a_series_without_an_objective_may_take_as_long_as_it_likes(judged):
    slow = {"request_latency": {bucket_of(9_000_000): 50}}

    assert judged(deliveries=40, histograms=slow, slo=SLO) is None


RAMP_ONLY = {Phase.RAMP: 100.0}


@pytest.mark.parametrize(
    ("peak", "lost", "condition", "number"),
    [
        (10, 3, "dropped", 3),
        (9, 3, "not_all_open", 9),
        (10, 0, "not_all_open", 10),
        (12, 0, "not_all_open", 10),
    ],
)
def test_a_ramp_that_was_reached_and_lost_is_dropped_and_else_not_all_were_open(
    judged, peak, lost, condition, number
):
    miss = judged(times=RAMP_ONLY, connections_peak=peak, lost=lost)

    assert (condition, number) == (miss.condition, miss.number)


@pytest.mark.parametrize(("peak", "number"), [(9, 9), (10, 7), (12, 7)])
def test_where_as_many_were_open_as_were_asked_for_those_at_the_end_are_told(counted, peak, number):
    """Clients came and went, so that all were open once and never for good."""
    merged, observation = counted(times=RAMP_ONLY, connections_peak=peak)
    merged.open_connections[:] = [10, 7]
    miss = miss_of(observation, merged, None, 0.0)

    assert ("not_all_open", number) == (miss.condition, miss.number)
    assert miss.statement.startswith(f"{number} of 10 connections were open")


@pytest.mark.parametrize(("usual_per_s", "is_missed"), [(0.0, False), (2.0, True)])
def test_who_received_nothing_is_held_against_what_was_usual(judged, usual_per_s, is_missed):
    assert is_missed is (judged(usual_per_s=usual_per_s) is not None)


@pytest.mark.parametrize(("count", "is_missed"), [(4, False), (5, True)])
def test_so_many_durations_are_enough_as_are_asked_for(report, count, is_missed):
    merged = MergedCounts()
    merged.add("a", report(histograms={"delivery_delay": {bucket_of(900_000): count}}))
    miss = breach_of(merged, SLO, 5)

    assert is_missed is (miss is not None)
    if miss is not None:
        assert (pytest.approx(0.9, rel=0.02), 0.1) == (miss.number, miss.bound)
        assert "p95 was" in miss.statement


def test_what_a_connection_surely_received_goes_by_those_that_whole_users_opened(counted):
    steady = [4000] * 8
    _, asked = counted(delivered=steady)
    opened = replace(asked, load=replace(asked.load, connections=10.0 * STEP.connections))

    usual = surely_received_per_s(asked)
    assert pytest.approx(usual / 10.0) == surely_received_per_s(opened)
