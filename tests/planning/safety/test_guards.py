import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.resource_facts import PROCESS_BYTES
from capacity.domain.resources import LimitState, Resource
from capacity.planning.safety.guards import (
    dead,
    full,
    hurrying,
    losing,
    overreaching,
    refusing,
    tripped,
)

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("guarded_run.py")))
BOUNDS, DESCRIPTORS = EXAMPLE["BOUNDS"], EXAMPLE["DESCRIPTORS"]
sample, run_of = EXAMPLE["sample"], EXAMPLE["run_of"]


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


def filling(*used):
    return [
        sample(n, {Resource.DESCRIPTORS: value}) for n, value in enumerate(used) for _ in "12345"
    ]


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


@pytest.mark.parametrize(
    ("uses", "is_hurrying"),
    [((400, 550), False), ((400, 601), True), ((600, 500), False)],
)
def test_what_would_meet_its_limit_before_a_guard_sees_it_is_in_a_hurry(uses, is_hurrying):
    samples = [sample(seq, used={Resource.DESCRIPTORS: float(use)}) for seq, use in enumerate(uses)]
    trip = hurrying(samples, [DESCRIPTORS])

    assert is_hurrying == (trip is not None)
    if trip is not None:
        assert ("pace", 201.0, 133.0) == (trip.guard, trip.number, trip.bound)
        assert "601 descriptors of 1,000 descriptors" in trip.statement


def test_one_sample_tells_no_pace():
    assert hurrying([sample(0, used={Resource.DESCRIPTORS: 999.0})], [DESCRIPTORS]) is None


@pytest.mark.parametrize(
    ("failed", "opened", "trips"), [(19, 0, False), (20, 0, True), (3, 27, False), (4, 27, True)]
)
def test_twenty_attempts_tell_a_share_of_failures(failed, opened, trips):
    assert trips == (refusing(failed, opened, BOUNDS) is not None)


@pytest.mark.parametrize(
    ("before", "now", "trips"),
    [(900.0, 901.0, True), (901.0, 902.0, False), (10.0, 900.0, False), (10.0, 901.0, True)],
)
def test_a_limit_is_full_beyond_its_share_and_guarded_where_it_was_not_before(before, now, trips):
    samples = filling(before, now)

    assert trips == (full(samples, [DESCRIPTORS], 0.9) is not None)
    assert trips == (
        overreaching(samples, [DESCRIPTORS], BOUNDS, sockets=0, sockets_now=0) is not None
    )


@pytest.mark.parametrize(("sockets_now", "due"), [(19, 210.0 + 21.0), (20, 210.0 + 20 * 10.0)])
def test_what_a_socket_takes_is_seen_from_twenty_of_them_on(sockets_now, due):
    limit = replace(DESCRIPTORS, value=100.0 + due)
    trip = overreaching(
        filling(10.0, 210.0),
        [limit],
        replace(BOUNDS, used_ratio=0.5),
        sockets=40,
        sockets_now=sockets_now,
    )

    assert trip.number == due


@pytest.mark.parametrize(
    ("changes", "uses"),
    [
        ({"resource": Resource.CPU}, (400.0, 601.0)),
        ({"state": LimitState.UNKNOWN, "value": None}, (400.0, 601.0)),
        ({}, (None, 601.0)),
        ({}, (400.0, None)),
        ({}, (400.0, 1000.0)),
    ],
)
def test_what_is_not_read_or_full_already_is_in_no_hurry(changes, uses):
    limit = replace(DESCRIPTORS, **changes)
    samples = [
        sample(n, used={} if use is None else {limit.resource: use}) for n, use in enumerate(uses)
    ]

    assert hurrying(samples, [limit]) is None
    other = replace(DESCRIPTORS, resource=Resource.THREADS)
    both = [replace(s, used={**s.used, other.resource: 400.0 + 201 * s.seq}) for s in samples]
    assert hurrying(both, [limit, other]).resource is Resource.THREADS


def test_samples_of_one_moment_tell_no_pace():
    samples = [sample(0, used={Resource.DESCRIPTORS: use}) for use in (400.0, 601.0)]

    assert hurrying(samples, [DESCRIPTORS]) is None


def test_a_target_whose_start_is_not_known_is_not_called_dead():
    assert dead([], (7,), 9) is None
    assert dead([sample(0, target_started_at=None), sample(1)], (7,), 9) is None
    ended = dead([sample(0), sample(1, target_started_at=None)], (), 9)
    assert (ended.number, ended.statement) == (9, "the target exited at about 9 connections")


def test_two_samples_tell_an_overflow_and_what_is_forgiven_may_lie_ahead():
    pair = [sample(n, counters={"listen_overflows": float(n)}) for n in range(2)]
    trip = tripped(pair, (), BOUNDS)

    assert (trip.guard, trip.number, trip.bound) == ("overflow", 1.0, 0.0)
    assert tripped(pair, (), BOUNDS, forgiven=99) is None
    assert tripped(pair[:1], (), BOUNDS) is None


def test_a_use_that_falls_takes_nothing_for_a_socket():
    steps = {"sockets": 1000, "sockets_now": 100}

    assert overreaching(filling(210.0, 10.0), [DESCRIPTORS], BOUNDS, **steps) is None


def test_a_full_limit_has_its_bound_and_a_death_has_none():
    trip = full(filling(10.0, 950.0), [DESCRIPTORS], 0.9)

    assert (trip.number, trip.bound, trip.resource) == (950.0, 900.0, Resource.DESCRIPTORS)
    assert dead([sample(0), sample(1, target_started_at=None)], (), 9).bound == 0.0


@pytest.mark.parametrize(
    ("changes", "before", "now"),
    [
        ({"resource": Resource.CPU}, 10.0, 950.0),
        ({"state": LimitState.UNKNOWN, "value": None}, 10.0, 950.0),
        ({}, None, 950.0),
        ({}, 10.0, None),
    ],
)
def test_what_is_not_read_fills_nothing(changes, before, now):
    """Not even where another limit is full."""
    limit = replace(DESCRIPTORS, **changes)
    threads = replace(DESCRIPTORS, resource=Resource.THREADS)
    samples = [
        sample(
            n,
            {Resource.THREADS: 10.0 + 900.0 * (n > 4)}
            | ({} if use is None else {limit.resource: use}),
        )
        for n, use in enumerate([before] * 5 + [now] * 5)
    ]

    for limits in ([limit], [limit, threads]):
        trips = (
            full(samples, limits, 0.9),
            overreaching(samples, limits, BOUNDS, sockets=0, sockets_now=0),
        )
        assert [trip is not None for trip in trips] == [len(limits) == 2] * 2


def test_the_two_newest_samples_tell_the_pace():
    samples = [
        sample(n, used={Resource.DESCRIPTORS: use}) for n, use in enumerate((0.0, 400.0, 601.0))
    ]

    assert hurrying(samples, [DESCRIPTORS]).number == 201.0
