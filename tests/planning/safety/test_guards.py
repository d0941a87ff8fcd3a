import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.resource_facts import PROCESS_BYTES
from capacity.domain.resources import LimitState, Resource
from capacity.planning.safety.guards import dead, losing, overreaching, refusing, tripped

GUARDED = runpy.run_path(str(Path(__file__).with_name("guarded.py")))
BOUNDS = GUARDED["BOUNDS"]
DESCRIPTORS = GUARDED["DESCRIPTORS"]
run_of = GUARDED["run_of"]
sample = GUARDED["sample"]
filling = GUARDED["filling"]


def guard_of(samples, limits=()):
    trip = tripped(samples, limits, BOUNDS)
    return trip.guard if trip else None


@pytest.mark.parametrize(
    ("counters", "guard"),
    [
        ({"listen_overflows": (7, 7)}, None),
        ({"listen_overflows": (7, 8)}, "overflow"),
        ({"target_listen_drops": (2, 3)}, "overflow"),
        ({"target_listen_drops": (2, 9), "listen_drops": (4, 6)}, "overflow"),
        # Packets of a handshake, discarded in a race: no connect was dropped.
        ({"target_listen_drops": (2, 13), "listen_drops": (4, 4)}, None),
        ({"target_listen_drops": (2, 2), "listen_overflows": (7, 9)}, None),
        ({"cpu_periods": (0, 90), "cpu_throttled_periods": (5, 8)}, None),
        ({"cpu_periods": (0, 90), "cpu_throttled_periods": (0, 9)}, "throttling"),
        ({"cpu_throttled_s": (5, 6)}, None),
        ({"cpu_throttled_s": (5, 6.01)}, "throttling"),
        ({"segments_sent": (0, 90_000), "retransmits": (100, 500)}, None),
        ({"segments_sent": (0, 90_000), "retransmits": (100, 1900)}, "retransmission"),
        ({"segments_sent": (0, 90), "retransmits": (0, 45)}, None),
        (
            {
                "segments_sent": (0, 90_000),
                "retransmits": (100, 1900),
                "target_segments_sent": (0, 45_000),
                "target_retransmits": (0, 9),
            },
            None,
        ),
        (
            {
                "segments_sent": (0, 900_000),
                "retransmits": (100, 2000),
                "target_segments_sent": (0, 90_000),
                "target_retransmits": (0, 1900),
            },
            "retransmission",
        ),
        (
            {
                "segments_sent": (0, 90_000),
                "retransmits": (100, 1900),
                "target_segments_sent": (7, 7),
                "target_retransmits": (0, 0),
            },
            "retransmission",
        ),
        ({"host_memory_pressure_some_s": (50, 50.5)}, None),
        ({"host_memory_pressure_some_s": (50, 53)}, "memory pressure"),
    ],
)
def test_distress_of_the_target_trips_its_guard(counters, guard):
    assert guard == guard_of(run_of(**counters))


@pytest.mark.parametrize(
    ("before", "now", "guard"),
    [(10.0, 890.0, None), (10.0, 910.0, "limit"), (950.0, 960.0, None)],
    ids=["below", "filled by the run", "full before the run"],
)
def test_a_limit_that_the_run_nearly_fills_trips(before, now, guard):
    samples = [sample(seq, {Resource.DESCRIPTORS: before}) for seq in range(5)]
    samples += [sample(seq, {Resource.DESCRIPTORS: now}) for seq in range(5, 12)]

    assert guard == guard_of(samples, [DESCRIPTORS])


def test_what_cannot_be_read_trips_nothing():
    unknown = replace(DESCRIPTORS, state=LimitState.UNKNOWN, value=None)
    samples = [sample(seq, {Resource.DESCRIPTORS: 10.0 + 400 * seq}) for seq in range(9)]

    assert guard_of(samples, [unknown]) is None
    assert guard_of([sample(0), sample(1)], [DESCRIPTORS]) is None


def test_a_target_that_was_restarted_counts_anew():
    after = [sample(9, counters={"listen_overflows": 3.0}, target_started_at=2.0)]

    assert guard_of([*run_of(listen_overflows=(0, 0)), *after]) is None


def test_the_sentence_has_the_number_and_the_bound():
    samples = [sample(0, {Resource.DESCRIPTORS: 10.0}), sample(1, {Resource.DESCRIPTORS: 950.0})]
    samples = [samples[0]] * 5 + [samples[1]] * 5
    trip = tripped(samples, [DESCRIPTORS], BOUNDS)

    assert "950 descriptors of 1,000 descriptors in use (bound 90 %)" in trip.statement


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_connections_that_fail_to_open_trip_beyond_their_share(failed, opened):
    trip = refusing(failed, opened, BOUNDS)

    assert (trip is not None) == (failed + opened >= 20 and failed > 0.1 * (failed + opened))


def test_distress_that_was_there_before_the_load_is_not_its_doing():
    samples = run_of(cpu_periods=(0, 90), cpu_throttled_periods=(0, 9))

    assert tripped(samples, (), BOUNDS, unloaded=1).guard == "throttling"
    assert tripped(samples, (), BOUNDS, unloaded=5) is None


@pytest.mark.parametrize(("since", "guard"), [(0, "retransmission"), (3, None)])
def test_rates_are_taken_from_where_the_last_crowd_has_left(since, guard):
    sent = (0, 10_000, 20_000, 30_000, 40_000)
    again = (0, 0, 0, 2000, 2000)
    samples = [
        sample(n, counters={"segments_sent": s, "retransmits": r})
        for n, (s, r) in enumerate(zip(sent, again, strict=True))
    ]
    trip = tripped(samples, (), BOUNDS, since=since)

    assert guard == (trip.guard if trip else None)


@pytest.mark.parametrize(
    ("used", "sockets_now", "sockets", "is_tripped"),
    [
        ((10.0,), 0, 890, False),
        ((10.0,), 0, 891, True),
        ((10.0, 110.0), 100, 890, False),
        ((10.0, 210.0), 100, 440, False),
        ((10.0, 210.0), 100, 446, True),
        ((950.0,), 0, 40, False),
    ],
    ids=["first fits", "first does not", "one each", "two each fit", "two each do not", "was full"],
)
def test_a_step_that_would_fill_a_limit_is_known_before_it_begins(
    used, sockets_now, sockets, is_tripped
):
    trip = overreaching(
        filling(*used), [DESCRIPTORS], BOUNDS, sockets=sockets, sockets_now=sockets_now
    )

    assert is_tripped == (trip is not None)


def test_the_step_that_may_not_begin_is_named_with_its_number():
    trip = overreaching(filling(10.0), [DESCRIPTORS], BOUNDS, sockets=1200, sockets_now=0)

    assert (1210.0, 900.0) == (trip.number, trip.bound)
    assert "1,200 sockets would use 1,210 descriptors of 1,000 descriptors" in trip.statement


@pytest.mark.parametrize(
    ("lost", "connections", "trips"),
    [
        (2, 10, False),
        (3, 10, True),
        (5, 100, False),
        (6, 100, True),
    ],
)
def test_connections_that_the_target_ends_trip_beyond_their_share(lost, connections, trips):
    assert trips == (losing(lost, connections, BOUNDS) is not None)


def test_what_the_queues_did_before_a_ramp_was_slowed_down_is_forgiven():
    samples = run_of(listen_overflows=(0, 9))

    assert "overflow" == tripped(samples, (), BOUNDS).guard
    assert "overflow" == tripped(samples, (), BOUNDS, forgiven=8).guard
    assert tripped(samples, (), BOUNDS, forgiven=9) is None


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (1.0, None),
        (None, "the target, pid 7, exited at about 380 connections"),
        (2.0, "the target, pid 7, exited and was restarted at about 380 connections"),
    ],
)
def test_the_death_of_a_target_is_named(start, words):
    samples = [sample(0), sample(1, target_started_at=start)]
    trip = dead(samples, (7,), 380)

    assert words == (trip.statement if trip else None)


@pytest.mark.parametrize("resource", sorted(PROCESS_BYTES))
def test_a_step_that_would_fill_what_one_process_may_hold_does_not_begin(resource):
    samples = [sample(n, {resource: value}) for n, value in enumerate((1e8, 2e8)) for _ in "12345"]
    limit = replace(DESCRIPTORS, resource=resource, value=1e9)
    trips = [
        overreaching(samples, [limit], BOUNDS, sockets=sockets, sockets_now=100)
        for sockets in (790, 810)
    ]

    assert [trip is not None for trip in trips] == [False, True]
