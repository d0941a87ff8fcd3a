import pytest

from capacity.domain.histogram import bucket_of
from capacity.domain.load import LoadStep
from capacity.loadgen.master.guards.acceptance import LEAST_DURATIONS, miss_of
from capacity.loadgen.master.steps.step_summary import observe
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.settings.targets.slo import Slo
from capacity.workload.profiles.profile import Phase

STEP = LoadStep(
    connections=10,
    subscriptions_per_connection=1,
    requests_per_s=1.0,
    connects_per_s=10.0,
    ramp_timeout_s=5.0,
    settle_s=1.0,
    plateau_s=4.0,
    is_mix=True,
)
TIMES = {Phase.RAMP: 100.0, Phase.SETTLE: 101.0, Phase.PLATEAU: 102.0}
SLO = Slo.model_validate({"delivery_delay": {"quantile": 0.95, "limit_s": 0.1}})


@pytest.fixture
def judged(report):
    """Return what a step misses whose last phase counted *changes*."""

    def judge(*, times=TIMES, connections_peak=10, slo=None, usual_per_s=0.0, **changes):
        merged = MergedCounts(open_connections=[10, 10])
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

    assert ("dropped", 2) == (held.condition, held.number)
    assert ("dropped", 3) == (on_the_way.condition, on_the_way.number)


@pytest.mark.parametrize(("deliveries", "condition"), [(31, "not_receiving"), (33, None)])
def test_a_connection_that_gets_less_than_its_share_is_not_served(judged, deliveries, condition):
    miss = judged(deliveries=deliveries, usual_per_s=1.0)  # 40 in 4 s on 10 connections.

    assert condition == (miss.condition if miss else None)


@pytest.mark.parametrize(
    ("slow", "condition"), [(LEAST_DURATIONS, "delivery_delay"), (LEAST_DURATIONS - 1, None)]
)
def test_an_objective_is_missed_by_enough_durations_only(judged, slow, condition):
    miss = judged(deliveries=40, histograms={"delivery_delay": {bucket_of(300_000): slow}}, slo=SLO)

    assert condition == (miss.condition if miss else None)


def test_a_missed_objective_is_told_with_its_number_and_its_bound(judged):
    miss = judged(deliveries=40, histograms={"delivery_delay": {bucket_of(300_000): 50}}, slo=SLO)

    assert (pytest.approx(0.3, rel=0.1), 0.1) == (miss.number, miss.bound)
    assert "delivery delay p95 was" in miss.statement


def test_a_series_without_an_objective_may_take_as_long_as_it_likes(judged):
    slow = {"request_latency": {bucket_of(9_000_000): 50}}

    assert judged(deliveries=40, histograms=slow, slo=SLO) is None
