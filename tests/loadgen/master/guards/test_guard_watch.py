import runpy
from pathlib import Path

import pytest

from capacity.domain.histogram import Histogram, bucket_of
from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, CutOffKind
from capacity.loadgen.master.guards.guard_watch import Guard, Moment, _less, saturated
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.settings.profile import ADAPTER
from capacity.settings.targets.slo import Slo

GUARDED_RUN = runpy.run_path(str(Path(__file__).parents[3] / "planning/safety/guarded.py"))
sample_of = runpy.run_path(str(Path(__file__).parents[3] / "agent_samples.py"))["sample_of"]

LEAST_TO_STOP = 200

RAMP = {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2]}
UNGUARDED = ADAPTER.validate_python(RAMP)
GUARDED = ADAPTER.validate_python({**RAMP, "guards": {}})


def sample(seq, segments_sent, retransmits):
    return sample_of(seq, counters={"segments_sent": segments_sent, "retransmits": retransmits})


def moment(merged, **changes):
    seen = {"connections": 1000, "is_loaded": True, "is_leaving": False}
    return Moment(merged=merged, **{**seen, **changes})


@pytest.fixture
def merged(report):
    def of(failures):
        merged = MergedCounts()
        merged.add("a", report(connects=50, failures=failures))
        return merged

    return of


@pytest.mark.parametrize(
    ("failures", "guard"),
    [
        ({}, None),
        ({"connect_refused": 5}, None),
        ({"connect_refused": 20}, "refusal"),
        ({"handshake_rejected_503": 9, "connect_timeout": 9}, "refusal"),
        ({"generator_ports": 40}, None),
        ({"request_answered_500": 40}, None),
    ],
)
def test_only_what_lets_nobody_in_counts_as_refusal(merged, failures, guard):
    trip = Guard(GUARDED, ()).trip([], moment(merged(failures), is_loaded=True, is_leaving=False))

    assert guard == (trip.guard if trip else None)


def test_a_profile_without_guards_goes_on_whatever_happens(merged):
    assert (
        Guard(UNGUARDED, ()).trip(
            [], moment(merged({"connect_refused": 500}), is_loaded=True, is_leaving=False)
        )
        is None
    )


def test_before_the_first_load_nothing_is_its_doing(merged):
    guard = Guard(GUARDED, ())

    assert (
        guard.trip([], moment(merged({"connect_refused": 40}), is_loaded=False, is_leaving=False))
        is None
    )


def test_a_crowd_that_leaves_trips_nothing_and_what_follows_is_judged_anew(merged):
    guard = Guard(GUARDED, ())
    samples = [sample(0, 0, 0), sample(1, 5000, 2500)]

    assert guard.trip(samples, moment(merged({}), is_loaded=True, is_leaving=True)) is None

    samples += [sample(2, 5100, 2500), sample(3, 10_000, 2500)]

    assert guard.trip(samples, moment(merged({}), is_loaded=True, is_leaving=False)) is None

    samples += [sample(4, 15_000, 5000)]

    assert (
        "retransmission"
        == guard.trip(samples, moment(merged({}), is_loaded=True, is_leaving=False)).guard
    )


SLO = Slo.model_validate({"delivery_delay": {"quantile": 0.95, "limit_s": 0.1}})


@pytest.mark.parametrize(
    ("count", "delay_us", "guard"),
    [(LEAST_TO_STOP, 300_000, "slo"), (LEAST_TO_STOP - 1, 300_000, None), (900, 50_000, None)],
)
def test_a_missed_objective_ends_a_run_once_it_is_no_chance(report, count, delay_us, guard):
    merged = MergedCounts()
    merged.add("a", report(histograms={"delivery_delay": {bucket_of(delay_us): count}}))
    trip = Guard(GUARDED, (), SLO).trip([], moment(merged, is_loaded=True, is_leaving=False))

    assert guard == (trip.guard if trip else None)


@pytest.mark.parametrize(
    ("refused_by", "kind", "said"),
    [
        ({"handshake_rejected_503": 10}, CutOffKind.REFUSED, "most by handshake_rejected_503"),
        ({"handshake_rejected_429": 10}, CutOffKind.REFUSED, "set source_addresses"),
        ({"connection_ended": 10}, CutOffKind.LOST, "dropped 10 of 1,000 connections"),
        ({"connection_ended": 1001}, CutOffKind.LOST, "dropped 1,000 of 1,000 connections"),
        (
            {"connection_ended": 8, "connect_refused": 2},
            CutOffKind.LOST,
            "rejected reconnects, connect_refused",
        ),
    ],
)
def test_who_was_let_in_and_is_lost_was_not_refused(refused_by, kind, said):
    trip = Guard(GUARDED, ()).trip([], moment(MergedCounts(), refused_by=refused_by))

    assert kind is trip.kind
    assert said in trip.statement
    assert 0.0 == trip.bound


def test_no_more_connections_are_said_to_be_lost_than_were_open(report):
    merged = MergedCounts()
    merged.add("a", report(lost=1001))
    trip = Guard(GUARDED, ()).trip([], moment(merged))

    assert 1001 == trip.number
    assert "dropped 1,000 of 1,000 connections" in trip.statement


@pytest.mark.parametrize(
    ("exited", "said"),
    [
        ([0, 0], None),
        ([0, 1], "; the process that held them exited, and the rest of the target lives on"),
        ([0, 2], "; 2 processes that held some exited, and the rest of the target lives on"),
        (
            [0, 1, 1, 1, 1, 1, 1],
            "; the process that held them exited, and the rest of the target lives on",
        ),
        ([0, 1, 1, 1, 1, 1, 1, 1], None),
        ([], None),
    ],
    ids=["none", "one", "two", "just now", "long ago", "no agent"],
)
def test_a_process_that_exits_below_a_parent_that_starts_it_again_is_told_with_the_loss(
    report, exited, said
):
    merged = MergedCounts()
    merged.add("a", report(lost=1000))
    samples = [
        sample_of(seq, counters={"filled_processes_exited": float(count)})
        for seq, count in enumerate(exited)
    ]
    trip = Guard(GUARDED, ()).trip(samples, moment(merged))

    assert CutOffKind.LOST is trip.kind
    assert (
        trip.statement == f"the target dropped 1,000 of 1,000 connections (bound 5 %){said or ''}"
    )


def test_what_was_lost_in_an_earlier_phase_counts_for_the_step(report):
    merged = MergedCounts()
    merged.add("a", report(lost=30))

    assert Guard(GUARDED, ()).trip([], moment(merged)) is None
    assert "loss" == Guard(GUARDED, ()).trip([], moment(merged, lost_before=30)).guard


def test_of_what_was_answered_before_nothing_is_left_and_of_the_rest_all():
    left = _less(Histogram({3: 5, 4: 5, 9: 1}), Histogram({3: 5, 4: 4}))

    assert {4: 1, 9: 1} == left.counts


def step_of(connections, requests_per_s=0.0, orders_per_s=0.0):
    times = {"connects_per_s": 10.0, "ramp_timeout_s": 30.0, "settle_s": 1.0, "plateau_s": 10.0}
    return LoadStep(
        connections=connections, subscriptions_per_connection=1, requests_per_s=requests_per_s,
        orders_per_s=orders_per_s, is_mix=True, **times,
    )  # fmt: skip


def test_a_step_is_seen_ahead_with_the_sockets_of_whole_users_of_pollers_and_of_traders():
    """1,200 of users with ten each, 201 pollers of two seconds and 101 traders of four; ten are used."""
    intervals = {"poll_interval_s": 2.0, "order_interval_s": 4.0}
    profile = ADAPTER.validate_python(
        {**RAMP, "guards": {}, "levels": [20], "connections_per_user": 10, **intervals}
    )
    guard = Guard(profile, [GUARDED_RUN["DESCRIPTORS"]])
    samples, ahead = GUARDED_RUN["filling"](10.0), step_of(1195, 100.2, 25.1)

    assert 10 + 1200 + 201 + 101 == guard.trip_ahead(samples, ahead, step_of(0)).number
    assert guard.trip_ahead(samples, step_of(800), step_of(0)) is None


def test_a_step_of_as_many_sockets_or_without_guards_trips_nothing_ahead():
    limits, samples = [GUARDED_RUN["DESCRIPTORS"]], GUARDED_RUN["filling"](800.0, 950.0)

    assert Guard(GUARDED, limits).trip_ahead(samples, step_of(100), step_of(100)) is None
    assert Guard(GUARDED, limits).trip_ahead(samples, step_of(101), step_of(100))
    assert Guard(UNGUARDED, limits).trip_ahead(samples, step_of(101), step_of(100)) is None


@pytest.mark.parametrize(
    ("kind", "guard"), [(CutOffKind.SATURATED, "saturation"), (CutOffKind.UNSERVED, "service")]
)
def test_a_plateau_on_which_too_little_arrived_trips_by_its_kind(kind, guard):
    short = CutOff(statement="less arrived", connections=70, kind=kind)
    trip = saturated(short)

    assert (guard, 70, kind, "less arrived") == (
        trip.guard,
        trip.number,
        trip.kind,
        trip.statement,
    )
