"""What ends a drill and what is only told of it."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.loadgen.master.guards.drill_guard import DrillGuard
from capacity.settings.profile import ADAPTER

sample_of = runpy.run_path(str(Path(__file__).parents[3] / "agent_samples.py"))["sample_of"]

RAMP = ADAPTER.validate_python({"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2]})
DESCRIPTORS = Limit(
    resource=Resource.DESCRIPTORS,
    state=LimitState.KNOWN,
    value=1000.0,
    scope="process",
    source="/proc/PID/limits",
)


def samples_of(*used, **counters):
    """Return a sample a second; each counter as it is in the first and in the last one."""
    return [
        sample_of(
            seq,
            used={Resource.DESCRIPTORS: float(use)},
            counters={name: ends[seq == len(used) - 1] for name, ends in counters.items()},
        )
        for seq, use in enumerate(used)
    ]


@pytest.fixture
def guard():
    return DrillGuard(RAMP, [DESCRIPTORS], [1])


@pytest.mark.parametrize(("most", "expected"), [(900, None), (901, "limit")])
def test_a_limit_that_fills_ends_a_drill_even_of_an_unguarded_profile(guard, most, expected):
    samples = samples_of(*[100] * 6, 890, 895, most)
    trip = guard.harm(samples, 6, 0, 100)

    assert expected == (trip and trip.guard)


def test_what_grows_too_fast_to_be_seen_ends_a_drill(guard):
    assert guard.harm(samples_of(100, 100, 324), 1, 0, 100) is None
    assert "pace" == guard.harm(samples_of(100, 100, 326), 1, 0, 100).guard


@pytest.mark.parametrize(("lost", "expected"), [(5, None), (6, "loss")])
def test_clients_lost_that_were_not_cut_end_a_drill(guard, lost, expected):
    trip = guard.harm(samples_of(100, 100), 1, lost, 100)

    assert expected == (trip and trip.guard)


def test_a_process_that_ended_ends_a_drill(guard):
    samples = samples_of(100, 100)
    again = replace(samples[1], target_started_at=9.0)

    assert CutOffKind.DIED is guard.harm([*samples, again], 1, 0, 100).kind


def test_a_queue_that_overflows_is_told_and_ends_nothing(guard):
    samples = samples_of(100, 100, 100, target_listen_drops=(0.0, 3.0))

    assert guard.harm(samples, 1, 0, 100) is None
    assert ("its listening sockets dropped connects 3 times",) == guard.signs(samples, 1)


def test_without_an_agent_only_what_the_generator_sees_ends_a_drill(guard):
    assert guard.harm([], 0, 5, 100) is None
    assert "loss" == guard.harm([], 0, 6, 100).guard
    assert () == guard.signs([], 0)


@pytest.mark.parametrize("since", [0, 1])
def test_what_overflowed_with_the_cut_itself_is_told(guard, since):
    samples = samples_of(100, 100, target_listen_drops=(0.0, 3.0))

    assert ("its listening sockets dropped connects 3 times",) == guard.signs(samples, since)


def test_what_overflowed_before_the_drill_is_not_its_sign(guard):
    samples = samples_of(100, 100, target_listen_drops=(0.0, 3.0))

    assert () == guard.signs([*samples, samples[-1]], 2)


@pytest.mark.parametrize(("ago", "expected"), [(5, "memory pressure"), (6, None)])
def test_memory_pressure_of_the_newest_five_intervals_ends_a_drill(guard, ago, expected):
    last = 9
    samples = [
        replace(
            each,
            counters={"host_memory_pressure_some_s": 0.0 if each.seq <= last - ago else 0.9},
        )
        for each in samples_of(*[100] * (last + 1))
    ]
    trip = guard.harm(samples, 1, 0, 100)

    assert expected == (trip and trip.guard)


@pytest.mark.parametrize(("since", "expected"), [(2, "memory pressure"), (3, None)])
def test_the_first_interval_of_a_drill_counts_and_those_before_it_do_not(guard, since, expected):
    samples = samples_of(100, 100, 100, host_memory_pressure_some_s=(0.0, 0.9))
    trip = guard.harm(samples, since, 0, 100)

    assert expected == (trip and trip.guard)


@pytest.mark.parametrize("since", [0, 1])
def test_the_interval_of_the_cut_itself_counts(guard, since):
    samples = samples_of(100, 100, host_memory_pressure_some_s=(0.0, 0.9))

    assert "memory pressure" == guard.harm(samples, since, 0, 100).guard
