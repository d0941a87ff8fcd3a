"""Phases of an opening, each told once and only when it has begun."""

from types import SimpleNamespace

import pytest

from capacity.loadgen.client.slots import opening_times
from capacity.loadgen.client.slots.opening_times import OpeningTimes
from capacity.loadgen.protocol.counters import Counters


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def clock(monkeypatch):
    now_s = [100.0]
    monkeypatch.setattr(opening_times, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    return now_s


def told(counters):
    return (
        list(counters.handshake_time),
        list(counters.opening["subscription"]),
        list(counters.opening["first_data"]),
    )


def test_each_phase_is_told_once_with_its_own_beginning(counters, clock):
    times = OpeningTimes()
    times.begin(98.0)
    times.ask(99.0, is_pending=True, is_first=True)
    clock[0] = 100.5
    times.note_confirmed(counters)
    clock[0] = 103.0

    assert times.are_due
    assert [True, False] == [times.note_data(counters) for _ in range(2)]
    times.note_confirmed(counters)
    assert ([2_500_000], [1_500_000], [4_000_000]) == told(counters)
    assert not times.are_due


def test_what_nobody_asked_for_is_not_told(counters, clock):
    times = OpeningTimes()
    times.ask(99.0, is_pending=False, is_first=False)
    times.note_confirmed(counters)

    assert not times.note_data(counters)
    assert ([], [], []) == told(counters)


def test_what_we_hold_back_ourselves_is_no_time_of_the_target(counters, clock):
    times = OpeningTimes()
    times.begin(90.0)
    times.ask(91.0, is_pending=True, is_first=True)
    times.hold_back(4.0)
    times.hold_back(3.0)
    times.note_confirmed(counters)
    times.hold_back(1.0)
    times.note_data(counters)

    assert ([3_000_000], [2_000_000], [1_000_000]) == told(counters)
    assert not times.are_due


def test_before_it_begins_nothing_is_due(counters, clock):
    times = OpeningTimes()

    assert not times.are_due
    assert not times.note_data(counters)
    times.note_confirmed(counters)
    assert ([], [], []) == told(counters)
