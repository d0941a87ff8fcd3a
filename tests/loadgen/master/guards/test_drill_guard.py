"""What ends a drill and what is only told of it."""

import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.sample import Sample
from capacity.loadgen.master.guards.drill_guard import DrillGuard
from capacity.settings.profile import ADAPTER

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
        Sample(
            seq=seq,
            at=1_800_000_000.0 + seq,
            interval_s=1.0,
            used={Resource.DESCRIPTORS: float(use)},
            gauges={},
            counters={name: ends[seq == len(used) - 1] for name, ends in counters.items()},
            missing={},
            target_started_at=1.0,
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
    again = Sample(
        **{
            **{name: getattr(samples[1], name) for name in Sample.__slots__},
            "target_started_at": 9.0,
        }
    )

    assert CutOffKind.DIED is guard.harm([*samples, again], 1, 0, 100).kind


def test_a_queue_that_overflows_is_told_and_ends_nothing(guard):
    samples = samples_of(100, 100, 100, target_listen_drops=(0.0, 3.0))

    assert guard.harm(samples, 1, 0, 100) is None
    assert ("its listening sockets dropped connects 3 times",) == guard.signs(samples, 1)


def test_without_an_agent_only_what_the_generator_sees_ends_a_drill(guard):
    assert guard.harm([], 0, 5, 100) is None
    assert "loss" == guard.harm([], 0, 6, 100).guard
    assert () == guard.signs([], 0)
