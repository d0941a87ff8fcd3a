from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.resources import Resource
from capacity.planning.caveats.processor import _grown, processor_doubts
from capacity.planning.evidence.windows import plateau_of
from capacity.planning.plan import plan


@pytest.fixture(scope="module")
def busy(venue, cost, safe):
    """Eight processors are the first wall, at 1,000 connections after tests up to 245."""
    costs = {Resource.CPU: cost(baseline=0.04, connection=0.004, delivery=0.0005)}
    return replace(venue, steps=safe(8.0, 8), costs=costs, limits={Resource.CPU: 8.0})


def with_cpu_limit(record, scope, value):
    limits = tuple(
        replace(limit, scope=scope, value=value) if limit.resource is Resource.CPU else limit
        for limit in record.manifest.agent.limits
    )
    return with_agent(record, limits=limits)


def with_agent(record, **changes):
    manifest = record.manifest
    return replace(record, manifest=replace(manifest, agent=replace(manifest.agent, **changes)))


def held_up(record, *, ratio, step):
    """Return the record with ten periods of a quota a second, a *ratio* of them held up on a step."""
    begin, end = plateau_of(record.steps[step])
    periods = throttled = 0.0
    samples = []
    for sample in record.samples:
        periods += 10.0
        throttled += 10.0 * ratio if begin <= sample.at <= end else 0.0
        counters = {"cpu_periods": periods, "cpu_throttled_periods": throttled}
        samples.append(replace(sample, counters={**sample.counters, **counters}))
    return replace(record, samples=tuple(samples))


def doubts_of(record):
    return [doubt for doubt in plan(record).doubts if doubt.kind is DoubtKind.PROCESSOR_TIME]


def test_threads_that_share_cores_are_doubted_when_the_line_comes_from_below_half(busy):
    record = with_agent(with_cpu_limit(busy.record(), "host", 8.0), threads_per_core=2)
    (doubt,) = doubts_of(record)

    assert "2 hardware threads share each core" in doubt.statement
    assert "20 % to 30 % too high" in doubt.statement


@pytest.mark.parametrize("threads", [None, 1])
def test_threads_with_cores_of_their_own_or_unknown_ones_are_not_doubted(busy, threads):
    record = with_cpu_limit(busy.record(), "host", 8.0)

    assert not doubts_of(with_agent(record, threads_per_core=threads))


def test_a_line_from_beyond_half_of_the_processors_is_not_doubted(busy):
    record = with_cpu_limit(busy.record(), "host", 1.5)

    assert not doubts_of(with_agent(record, threads_per_core=2))


def test_a_wall_of_processors_far_behind_another_one_is_not_doubted(busy, cost):
    costs = {**busy.costs, Resource.DESCRIPTORS: cost(baseline=10.0, connection=1.0)}
    first = replace(busy, costs=costs, limits={**busy.limits, Resource.DESCRIPTORS: 300.0})
    record = with_cpu_limit(first.record(), "host", 8.0)

    assert not doubts_of(with_agent(record, threads_per_core=2))


def test_a_quota_that_held_the_target_up_before_it_was_used_up_is_doubted(busy):
    record = with_cpu_limit(busy.record(), "cgroup", 8.0)
    top = max(record.steps, key=lambda step: step.step.connections).index
    (doubt,) = doubts_of(held_up(record, ratio=0.2, step=top))

    assert "CPU-throttled in up to 20 % of the quota periods" in doubt.statement
    assert "slo" in doubt.remedy


@pytest.mark.parametrize(("scope", "ratio"), [("cgroup", 0.0), ("cgroup", 0.005), ("host", 0.2)])
def test_a_quota_that_did_not_hold_it_up_is_not_doubted(busy, scope, ratio):
    record = with_cpu_limit(busy.record(), scope, 8.0)
    top = max(record.steps, key=lambda step: step.step.connections).index

    assert not doubts_of(held_up(record, ratio=ratio, step=top))


def test_the_order_of_samples_changes_no_doubt(busy):
    record = with_cpu_limit(busy.record(), "cgroup", 8.0)
    top = max(record.steps, key=lambda step: step.step.connections).index
    record = held_up(record, ratio=0.2, step=top)
    reversed_record = replace(record, samples=tuple(reversed(record.samples)))

    assert doubts_of(reversed_record) == doubts_of(record) != []


def test_damaged_counts_make_no_doubt(busy):
    record = held_up(with_cpu_limit(busy.record(), "cgroup", 8.0), ratio=0.005, step=1)
    damaged = [
        replace(sample, counters={**sample.counters, "cpu_throttled_periods": float("inf")})
        for sample in record.samples[::7]
    ]

    assert not doubts_of(replace(record, samples=(*record.samples, *damaged)))


@pytest.mark.parametrize(("off", "is_doubted"), [(0.99, False), (1.01, True)])
def test_threads_share_cores_below_half_of_all_of_their_time(busy, off, is_doubted):
    record = with_agent(with_cpu_limit(busy.record(), "host", 8.0), threads_per_core=2)
    used = plan(record).ladder[0].used_at_highest
    record = with_agent(with_cpu_limit(busy.record(), "host", 2.0 * off * used), threads_per_core=2)

    assert is_doubted == bool(doubts_of(record))


@pytest.mark.parametrize(("ratio", "is_doubted"), [(0.0099, False), (0.0101, True)])
def test_one_period_in_a_hundred_is_the_most_that_is_held_up_unsaid(busy, ratio, is_doubted):
    record = with_cpu_limit(busy.record(), "cgroup", 8.0)

    assert is_doubted == bool(doubts_of(held_up(record, ratio=ratio, step=1)))


def test_counters_that_began_anew_or_were_not_read_add_nothing(busy):
    like = busy.record().samples[0]
    counted = [{"n": 5.0}, {"n": 8.0}, {}, {"n": 1.0}, {"n": 4.0}, {"n": float("nan")}]

    assert _grown([replace(like, counters=each) for each in counted], "n") == 6.0


def test_a_record_without_an_agent_tells_no_threads(busy):
    record = busy.record()
    wall = plan(record).ladder[0]
    wall = replace(wall, limit=replace(wall.limit, scope="host"))
    blind = replace(record, manifest=replace(record.manifest, agent=None))

    assert processor_doubts(blind, [], wall.ceiling, [wall]) == []
