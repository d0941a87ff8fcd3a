import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.resources import Resource
from capacity.planning.caveats.linearity import _noise_ratio
from capacity.planning.plan import plan

KINDS = {DoubtKind.STEP_HAZARD, DoubtKind.BENDING, DoubtKind.KEPT, DoubtKind.RISING}


def doubts_of(record):
    return [doubt for doubt in plan(record).doubts if doubt.kind in KINDS]


def bent(record, resource, added):
    """Return the record with *added* (connections, step index) on every sample of *resource*."""

    def step_at(at):
        begun = [step for step in record.steps if step.started_at < at - 1e-6]
        return begun[-1]

    samples = tuple(
        replace(
            sample,
            used={
                **sample.used,
                resource: sample.used[resource]
                + added(step_at(sample.at).load.connections, step_at(sample.at).index),
            },
        )
        for sample in record.samples
    )
    return replace(record, samples=samples)


@pytest.fixture(scope="module")
def memory(venue, cost, safe):
    """Memory gives out first, at 2,500 connections after tests up to 245 in eight levels."""
    return replace(
        venue,
        steps=safe(8.0, 8),
        costs={Resource.MEMORY: cost(baseline=60e6, connection=60e3, delivery=500.0, noise=0.002)},
        limits={Resource.MEMORY: 60e6 + 1000 * 65e3},
    )


def on_the_way_down(planted):
    """Return the planted run with two idle levels once more at its end."""
    idle = [step for step in planted.steps if step.subscriptions_per_connection == 0]
    return replace(planted, steps=(*planted.steps, idle[2], idle[1]))


def test_use_that_follows_its_line_is_not_doubted(memory, venue):
    assert doubts_of(memory.record()) == doubts_of(venue.record()) == []


def test_a_jump_within_the_tested_levels_is_a_hazard_beyond_them(memory):
    record = bent(memory.record(), Resource.MEMORY, lambda n, _: 13e6 if n > 130 else 0.0)
    (doubt,) = doubts_of(record)

    assert doubt.kind is DoubtKind.STEP_HAZARD
    assert "between 122 connections and 153" in doubt.statement
    cost = plan(record).ladder[0].cost
    assert cost.per_connection.mid == pytest.approx(60e3, rel=0.05)
    assert cost.baseline.mid == pytest.approx(60e6 + 13e6, rel=0.02)
    jumped_mib = float(re.search(r"jumped by ([\d.]+) MiB", doubt.statement)[1])
    assert jumped_mib == pytest.approx(13e6 / 2**20, rel=0.05)
    assert "Measure beyond" in doubt.remedy


def test_a_bend_upwards_is_told_with_its_place(memory):
    record = bent(memory.record(), Resource.MEMORY, lambda n, _: 60e3 * max(0.0, n - 150))
    (doubt,) = doubts_of(record)

    assert doubt.kind is DoubtKind.BENDING
    assert "more memory of the target than below" in doubt.statement


def test_a_bend_downwards_makes_the_forecast_cautious_and_no_doubt(memory):
    record = bent(memory.record(), Resource.MEMORY, lambda n, _: -20e3 * max(0.0, n - 150))

    assert doubts_of(record) == []


def test_the_published_units_of_a_service_bend_before_a_tenth_of_their_size(venue, cost, ramp):
    """Azure SignalR Service, performance guide: messages/s sent to connections, by units."""
    published = {1000: 1.0, 2000: 2.0, 5000: 5.0, 8000: 10.0}
    flat = replace(
        venue,
        steps=ramp(*published)[1:],
        costs={Resource.CPU: cost(baseline=0.0)},
        limits={Resource.CPU: 100.0},
    )
    record = bent(flat.record(), Resource.CPU, lambda n, _: published[round(n)])
    planned = plan(record)
    (doubt,) = doubts_of(record)

    assert planned.capacity.mid > 3 * 20_000
    assert doubt.kind is DoubtKind.BENDING
    assert "8,000 connections was 25 % above" in doubt.statement


def test_memory_that_stays_after_the_highest_step_is_doubted_and_left_out_of_the_cost(memory):
    down = on_the_way_down(memory)
    record = bent(down.record(), Resource.MEMORY, lambda n, index: 40e3 * (245 - n) * (index >= 17))
    (doubt,) = doubts_of(record)
    wall = plan(record).ladder[0]

    assert doubt.kind is DoubtKind.KEPT
    assert wall.cost.per_connection.mid == pytest.approx(60e3, rel=0.02)
    assert wall.cost.baseline.mid == pytest.approx(60e6, rel=0.02)


@pytest.mark.parametrize(("on_top", "kinds"), [(0.0, []), (5e6, [DoubtKind.KEPT])])
def test_memory_far_from_its_limit_is_doubted_only_where_it_rises_on(venue, on_top, kinds):
    down = on_the_way_down(venue)
    kept = bent(
        down.record(),
        Resource.MEMORY,
        lambda n, index: (60e3 * (245 - n) + 245 * 5000.0 + on_top) * (index > 8),
    )

    assert [doubt.kind for doubt in doubts_of(kept)] == kinds


def test_a_way_down_that_gives_everything_back_is_not_doubted(memory):
    assert doubts_of(on_the_way_down(memory).record()) == []


def test_descriptors_that_stay_open_are_doubted(venue):
    record = bent(
        on_the_way_down(venue).record(), Resource.DESCRIPTORS, lambda _, index: 30.0 * (index > 8)
    )
    found = [doubt for doubt in doubts_of(record) if "descriptors" in doubt.statement]

    assert [doubt.kind for doubt in found] == [DoubtKind.KEPT]
    assert "30 descriptors higher" in found[0].statement


@pytest.mark.parametrize(("limit", "kinds"), [(1e12, []), (150e6, [DoubtKind.KEPT])])
def test_what_others_on_the_host_keep_is_doubted_only_where_it_is_near(memory, cost, limit, kinds):
    shared = replace(
        memory,
        costs={**memory.costs, Resource.HOST_MEMORY: cost(baseline=50e6, connection=100e3)},
        limits={**memory.limits, Resource.HOST_MEMORY: limit},
    )
    record = bent(
        on_the_way_down(shared).record(), Resource.HOST_MEMORY, lambda _, index: 9e6 * (index > 8)
    )
    found = [
        doubt.kind
        for doubt in doubts_of(record)
        if "of the host" in doubt.statement and doubt.kind is not DoubtKind.STEP_HAZARD
    ]

    assert kinds == found


def test_a_way_down_with_one_window_a_step_is_judged_as_well(memory, safe):
    down = on_the_way_down(replace(memory, steps=safe(3.0, 8)))
    record = bent(down.record(), Resource.MEMORY, lambda n, index: 40e3 * (245 - n) * (index >= 17))

    assert DoubtKind.KEPT in {doubt.kind for doubt in doubts_of(record)}


def test_the_noise_of_a_step_is_the_standard_error_of_its_mean():
    windows = [SimpleNamespace(mean={Resource.MEMORY: use}) for use in (0.9, 1.0, 1.1)]

    assert _noise_ratio([windows], Resource.MEMORY) == pytest.approx(0.1 / 3**0.5)


def test_the_peak_once_more_is_no_way_down(memory):
    idle = [step for step in memory.steps if step.subscriptions_per_connection == 0]
    again = replace(memory, steps=(*memory.steps, idle[-1]))
    record = bent(again.record(), Resource.MEMORY, lambda _n, index: 10e6 * (index >= 17))

    assert DoubtKind.KEPT not in {doubt.kind for doubt in doubts_of(record)}
