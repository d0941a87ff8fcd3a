"""Guards on a share of something."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.safety.guards import (
    tripped,
)
from capacity.planning.safety.share_guards import (
    _is_busy,
    _throttled_long,
    first_share,
    share_readings,
    whose_segments,
)

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("guarded_run.py")))
BOUNDS = EXAMPLE["BOUNDS"]
sample, run_of = EXAMPLE["sample"], EXAMPLE["run_of"]

CPU = Limit(
    resource=Resource.CPU,
    state=LimitState.KNOWN,
    value=0.5,
    scope="cgroup",
    source="/sys/fs/cgroup/cpu.max",
)


def test_a_neighbours_segments_are_not_the_targets_while_its_own_are_not_summed_up_anew():
    counters = [
        {
            "segments_sent": 90_000.0 * n,
            "retransmits": 9_000.0 * n,
            "target_segments_sent": 5_000.0 * min(n, 3),
            "target_retransmits": 0.0,
        }
        for n in range(12)
    ]
    samples = [sample(n, counters=counted) for n, counted in enumerate(counters)]

    assert tripped(samples, (), BOUNDS) is None


@pytest.mark.parametrize(("ratio", "resource"), [(0.99, None), (1.01, Resource.CPU)])
def test_a_throttled_target_is_out_of_processor_time_only_where_it_uses_its_quota(ratio, resource):
    samples = [
        replace(each, used={Resource.CPU: ratio * 0.8 * 0.5})
        for each in run_of(cpu_periods=(0, 90), cpu_throttled_periods=(0, 30))
    ]
    trip = tripped(samples, [CPU], BOUNDS)

    assert ("throttling", resource) == (trip.guard, trip.resource)


def test_being_held_up_as_before_the_load_is_not_its_doing():
    samples = run_of(cpu_throttled_s=(0, 9))

    assert tripped(samples, (), BOUNDS, unloaded=4) is None


def memory_limit(scope):
    return Limit(
        resource=Resource.MEMORY,
        state=LimitState.KNOWN,
        value=1e9,
        scope=scope,
        source="/sys/fs/cgroup/memory.max",
    )


@pytest.mark.parametrize(
    ("scope", "place", "trips"),
    [
        ("cgroup", "cgroup", True),
        ("cgroup", "host", False),
        ("host", "cgroup", False),
        ("host", "host", True),
    ],
)
def test_only_what_the_target_is_limited_by_presses_on_it(scope, place, trips):
    samples = run_of(**{f"{place}_memory_pressure_some_s": (50, 53)})

    assert trips == (tripped(samples, [memory_limit(scope)], BOUNDS) is not None)


@pytest.mark.parametrize(("ratio", "trips"), [(0.79, False), (0.81, True)])
def test_a_host_with_memory_to_spare_does_not_press(ratio, trips):
    host = replace(memory_limit("host"), resource=Resource.HOST_MEMORY)
    samples = [
        replace(each, used={Resource.HOST_MEMORY: ratio * 1e9})
        for each in run_of(host_memory_pressure_some_s=(50, 53))
    ]

    assert trips == (tripped(samples, [host], BOUNDS) is not None)


@pytest.mark.parametrize(
    ("counters", "trips"),
    [
        ({"cpu_periods": (0, 900), "cpu_throttled_periods": (0, 45)}, False),
        ({"cpu_periods": (0, 900), "cpu_throttled_periods": (0, 46)}, True),
        ({"host_memory_pressure_some_s": (50, 50.9)}, False),
        ({"host_memory_pressure_some_s": (50, 50.91)}, True),
        # Within the last five intervals: 7,200 of 9 of them are 4,000.
        ({"segments_sent": (0, 7_201), "retransmits": (0, 361)}, True),
        ({"segments_sent": (0, 7_199), "retransmits": (0, 361)}, False),
        ({"segments_sent": (0, 7_201), "retransmits": (0, 359)}, False),
        ({"cpu_throttled_s": (0, 1.0)}, False),
        ({"cpu_throttled_s": (0, 1.01)}, True),
    ],
)
def test_a_share_trips_just_beyond_its_bound_and_of_enough_only(counters, trips):
    assert trips == (first_share(run_of(**counters), (), BOUNDS, 0, 0) is not None)


@pytest.mark.parametrize(("since", "is_read"), [(9, True), (10, False)])
def test_rates_need_a_sample_to_be_taken_from(since, is_read):
    samples = run_of(cpu_throttled_s=(0, 9))

    assert is_read == (first_share(samples, (), BOUNDS, 0, since) is not None)


def test_every_share_that_can_be_read_is_told_within_its_bound_or_not():
    span = (
        sample(0, counters={"cpu_periods": 0.0, "cpu_throttled_periods": 0.0}),
        sample(1, counters={"cpu_periods": 10.0, "cpu_throttled_periods": 0.0}),
    )

    ((reading),) = share_readings(span, (), BOUNDS, "")
    assert ("throttling", 0.0, 0.05) == (reading.guard, reading.number, reading.bound)


@pytest.mark.parametrize(
    ("unloaded_s", "newest_s", "number"),
    # A tenth of each second before the load, which leaves as much less of the 20 s with it.
    [(1.0, 5.0, 2.0), (1.0, 4.01, 1.01), (1.0, 4.0, None), (0.0, 1.01, 1.01), (0.0, 1.0, None)],
)
def test_being_held_up_counts_less_what_was_usual(unloaded_s, newest_s, number):
    seen = ((0, 0.0), (10, unloaded_s), (30, newest_s))
    trip = _throttled_long(*(sample(n, counters={"cpu_throttled_s": s}) for n, s in seen))

    assert (trip and trip.number) == (number and pytest.approx(number))


def test_what_was_held_up_before_the_load_is_not_known_of_one_moment():
    first, newest = (sample(n, counters={"cpu_throttled_s": 9.0 * n}) for n in (0, 1))

    assert _throttled_long(first, first, newest).number == 9.0
    assert _throttled_long(first, replace(newest, at=first.at), newest) is None
    assert _throttled_long(sample(0), sample(1), newest) is None


@pytest.mark.parametrize(
    ("uses", "value", "is_busy"),
    [
        ((0.3, 0.5), 0.5, True),
        ((0.3, 0.49), 0.5, False),
        ((), 0.5, False),
        ((9.0,), None, False),
        ((0.9,), 1.0, True),
    ],
)
def test_a_target_is_out_of_processor_time_at_four_fifths_of_its_quota(uses, value, is_busy):
    samples = [sample(n, {Resource.CPU: use}) for n, use in enumerate(uses)] + [sample(9)]

    assert is_busy == _is_busy(samples, [replace(CPU, value=value)])


@pytest.mark.parametrize(
    ("grew", "whose"), [((5, 6), "target_"), ((5, 5.9), ""), ((6, 5), ""), (None, "")]
)
def test_segments_are_the_targets_own_where_these_are_counted_on(grew, whose):
    samples = [sample(0), sample(1)] if grew is None else run_of(target_segments_sent=grew)

    assert whose_segments(samples) == whose


@pytest.mark.parametrize(("unloaded", "trips"), [(1, True), (2, False)])
def test_a_share_that_was_beyond_its_bound_before_the_load_is_not_its_doing(unloaded, trips):
    samples = run_of(cpu_periods=(0, 90), cpu_throttled_periods=(0, 9))

    assert trips == (first_share(samples, (), BOUNDS, unloaded, 0) is not None)


def test_shares_have_their_number_and_bound():
    span = (
        sample(0, counters={"x_retransmits": 0.0, "x_segments_sent": 0.0}),
        sample(4, counters={"x_retransmits": 200.0, "x_segments_sent": 4000.0}),
    )
    [reading] = share_readings(span, (), BOUNDS, "x_")

    assert (reading.guard, reading.number, reading.bound) == ("retransmission", 0.05, 0.01)
    assert "5 % of the TCP segments it sent" in reading.statement
    waited = [
        replace(each, counters={"host_memory_pressure_some_s": 0.5 * each.seq}) for each in span
    ]
    [pressure] = share_readings(tuple(waited), (), BOUNDS, "")
    assert (pressure.number, pressure.bound) == (0.5, 0.1)


def test_a_quota_that_is_used_up_is_named_from_the_newest_samples_alone():
    """Idle until the load came, then at its quota."""
    samples = [
        replace(each, used={Resource.CPU: 0.0 if each.seq < 4 else 0.5})
        for each in run_of(cpu_periods=(0, 90), cpu_throttled_periods=(0, 30))
    ]

    assert first_share(samples, [CPU], BOUNDS, 0, 0).resource is Resource.CPU
