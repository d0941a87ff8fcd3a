import runpy
from pathlib import Path

import pytest

from capacity.domain.histogram import bucket_of
from capacity.loadgen.master.steps.step_summary import observe
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.workload.profiles.profile import Phase

step_of = runpy.run_path(str(Path(__file__).parents[3] / "bare_records.py"))["step_of"]
STEP = step_of()


def observed(report, *, plateau=None, ramp=None, times=None, disturbances=(), step=STEP):
    merged_counts = {}
    for phase, changes in ((Phase.RAMP, ramp), (Phase.PLATEAU, plateau)):
        if changes is not None:
            merged_counts[phase] = MergedCounts(open_connections=[10, 10])
            merged_counts[phase].add("a", report(phase=phase.value, **changes))
    return observe(
        index=2,
        step=step,
        times=times or {Phase.RAMP: 100.0, Phase.SETTLE: 101.0, Phase.PLATEAU: 102.0},
        ended_at=106.0,
        merged_counts=merged_counts,
        connections_peak=10,
        users=11,
        workers=1,
        disturbances=disturbances,
    )


def test_load_is_that_of_the_plateau_and_failures_those_of_the_whole_step(report):
    observation = observed(
        report,
        ramp={"connects": 10, "failures": {"connect_refused": 3}, "deliveries": 999},
        plateau={"deliveries": 40, "seconds": 4.0, "failures": {"request_failed_500": 1}},
    )

    assert (10.0, 10.0) == (observation.load.connections, observation.load.deliveries_per_s)
    assert {"connect_refused": 3, "request_failed_500": 1} == observation.failures
    assert 10 == observation.connects
    assert observation.void is None


def test_the_generator_is_watched_while_connections_are_opened_and_while_they_are_held(report):
    def lagging(lag_us, cpu_ratio):
        histograms = {"lag": {bucket_of(lag_us): 20}}
        gauges = {
            "open_connections": 10,
            "users": 11,
            "cpu_ratio": cpu_ratio,
            "descriptors_ratio": 0.1,
            "pid": 1,
        }
        return {"histograms": histograms, "gauges": gauges}

    told = observed(report, ramp=lagging(50_000, 0.9), plateau=lagging(2_000, 0.1))

    assert 0.04 < told.generator_opening.lag_p95_s < 0.06
    assert 0.001 < told.generator.lag_p95_s < 0.003
    assert (0.9, 0.1) == (told.generator_opening.cpu_ratio, told.generator.cpu_ratio)
    assert observed(report, plateau={}).generator_opening is None


def test_phases_of_opening_are_those_of_the_whole_step_in_their_order(report):
    observation = observed(
        report,
        ramp={"histograms": {"opening_upgrade": {bucket_of(100): 3}}},
        plateau={
            "histograms": {"opening_tcp": {bucket_of(50): 1}, "opening_upgrade": {bucket_of(90): 2}}
        },
    )

    assert ["tcp", "upgrade"] == list(observation.opening)
    assert [1, 5] == [quantiles.count for quantiles in observation.opening.values()]
    assert abs(observation.opening["upgrade"].max_s - 100e-6) < 1e-6


def test_polls_have_their_own_phases_and_their_bodies_an_age_on_the_plateau(report):
    observation = observed(
        report,
        ramp={
            "not_modified": 5,
            "histograms": {
                "request_opening_tcp": {bucket_of(100): 3},
                "body_age": {bucket_of(9): 9},
            },
        },
        plateau={"not_modified": 2, "histograms": {"body_age": {bucket_of(90): 4}}},
    )

    assert {"tcp": 3} == {
        phase: quantiles.count for phase, quantiles in observation.request_opening.items()
    }
    assert (2, 4) == (observation.not_modified, observation.body_age.count)
    assert {} == observation.opening


def test_a_step_that_was_not_reached_has_no_plateau_and_no_load(report):
    observation = observed(report, ramp={"connects": 7}, times={Phase.RAMP: 100.0})

    assert observation.plateau_started_at is None
    assert observation.load is None
    assert (0, 0, 0) == (observation.gaps, observation.unmatched, observation.not_modified)


def test_what_was_counted_of_a_plateau_that_never_began_is_no_load(report):
    observation = observed(report, plateau={"deliveries": 4}, times={Phase.RAMP: 100.0})

    assert (None, None) == (observation.plateau_started_at, observation.load)


@pytest.mark.parametrize(("given_back", "lost"), [(0, 5), (2, 3), (6, 0)])
def test_what_was_lost_in_all_phases_is_told_less_what_was_given_back(report, given_back, lost):
    """Those that turn out to have come of age were taken for lost, perhaps in the step before."""
    assert lost == observed(report, ramp={"lost": 5}, plateau={"lost": -given_back}).lost


def test_the_error_of_the_rate_is_that_of_all_subscriptions_of_all_connections(report):
    reports = [report(deliveries=n, seconds=1.0) for n in (40, 44, 36, 48, 40, 32, 44, 36, 40, 40)]
    merged = MergedCounts(open_connections=[10])
    for each in reports:
        merged.add("a", each)
    observation = observe(
        index=0, step=step_of(10, subscriptions_per_connection=4), times={Phase.RAMP: 1.0},
        ended_at=9.0, merged_counts={Phase.PLATEAU: merged}, connections_peak=10, users=10,
        workers=1, disturbances=(),
    )  # fmt: skip

    assert observation.delivery_rate_error_ratio == merged.delivery_rate_error_ratio(40)
    assert merged.delivery_rate_error_ratio(40) != merged.delivery_rate_error_ratio(3)


def test_of_the_generators_own_limits_the_most_frequent_is_told(report):
    failures = {"generator_ports": 3, "generator_descriptors": 4}

    assert "generator_descriptors 4 times" in observed(report, plateau={"failures": failures}).void


@pytest.mark.parametrize(("cpu_ratio", "is_void"), [(0.95, False), (0.951, True)])
def test_a_worker_may_use_95_percent_of_a_core(report, cpu_ratio, is_void):
    gauges = {**report()["gauges"], "cpu_ratio": cpu_ratio}
    told = observed(report, plateau={"histograms": {"lag": {bucket_of(9): 9}}, "gauges": gauges})

    assert is_void == (told.void is not None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failures": {"generator_ports": 4}}, "generator_ports 4 times"),
        (
            {"histograms": {"lag": {bucket_of(300_000): 50}}},
            "lag was 300 ms|lag was 301 ms|lag was 299 ms",
        ),
        (
            {
                "histograms": {"lag": {bucket_of(1000): 50}},
                "gauges": {
                    "open_connections": 10,
                    "users": 11,
                    "cpu_ratio": 0.99,
                    "descriptors_ratio": 0.1,
                    "pid": 1,
                },
            },
            "99% of a core",
        ),
        (
            {
                "histograms": {
                    "lag": {bucket_of(1000): 50},
                    "queueing": {bucket_of(100): 90, bucket_of(400_000): 10},
                }
            },
            "messages queued 399 ms in its sockets|messages queued 400 ms|messages queued 401 ms",
        ),
    ],
    ids=["own ports", "timer lag", "cpu", "messages waited"],
)
def test_a_saturated_generator_voids_the_step_and_says_by_how_much(report, changes, said):
    observation = observed(report, plateau=changes)

    assert observation.void is not None
    assert any(text in observation.void for text in said.split("|"))


def test_a_lost_worker_voids_the_step(report):
    assert (
        "a worker was lost" == observed(report, plateau={}, disturbances={"a worker was lost"}).void
    )


def test_of_the_updates_it_is_told_how_many_were_checked_for_gaps(report):
    plateau = {"deliveries": 40, "unnumbered": 30, "seconds": 4.0}
    observation = observed(report, plateau=plateau)

    assert (40, 10) == (observation.updates, observation.numbered)
    assert (None, None) == (observed(report).updates, observed(report).numbered)


def test_of_the_gaps_it_is_told_how_many_a_checksum_showed(report):
    observation = observed(report, plateau={"gaps": 3, "mismatched": 2, "seconds": 4.0})

    assert (3, 2) == (observation.gaps, observation.mismatched)
    assert observed(report).mismatched is None


def test_a_step_whose_values_ran_out_is_void_for_that(report):
    void = observed(report, plateau={"failures": {"generator_no_row": 3}}).void

    assert "3 times a connection found no row" in void
    assert "values of the target file" in void
