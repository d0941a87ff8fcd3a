"""The bounds of guards, just below and just above, and what is in a hurry."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import LimitState, Resource
from capacity.planning.safety.guards import dead, full, hurrying, overreaching, refusing, tripped

GUARDED = runpy.run_path(str(Path(__file__).with_name("guarded.py")))
BOUNDS = GUARDED["BOUNDS"]
DESCRIPTORS = GUARDED["DESCRIPTORS"]
sample = GUARDED["sample"]
filling = GUARDED["filling"]


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


def test_a_target_that_was_seen_once_and_is_in_no_sample_was_gone_before():
    unseen = [sample(n, target_started_at=None) for n in range(2)]
    trip = dead(unseen, (7,), 0)

    assert (trip.kind, trip.statement) == (
        CutOffKind.DIED,
        "the target, pid 7, had exited before it was loaded",
    )
    assert dead(unseen, (), 0) is None


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
