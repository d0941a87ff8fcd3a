import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.resources import Resource
from capacity.planning.caveats.linearity import (
    _about_way_down,
    _is_same,
    _noise_ratio,
    _share_of_bend,
)
from capacity.planning.evidence.windows import plateau_windows
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


def step_window(**load):
    values = {
        "connections": 100.0,
        "deliveries_per_s": 100.0,
        "requests_per_s": 100.0,
        "handshakes_per_s": 100.0,
    }
    return SimpleNamespace(asked_connections=100, load=SimpleNamespace(**{**values, **load}))


@pytest.mark.parametrize(
    "part", ["connections", "deliveries_per_s", "requests_per_s", "handshakes_per_s"]
)
def test_two_steps_carry_one_load_up_to_a_twentieth(part):
    assert _is_same(step_window(), step_window(**{part: 95.1}))
    assert not _is_same(step_window(), step_window(**{part: 94.9}))
    assert _is_same(step_window(**{part: 0.0}), step_window(**{part: 0.0}))


def test_a_bend_counts_by_what_it_takes_of_the_way_to_the_ceiling(memory):
    wall = plan(memory.record()).ladder[0]
    room = wall.limit.value - wall.cost.baseline.mid

    assert _share_of_bend(wall, 0.1 * room / wall.ceiling.mid) == pytest.approx(0.1)
    assert _share_of_bend(replace(wall, limit=replace(wall.limit, value=None)), 1e9) == 0.0


def test_a_use_of_nothing_has_no_noise():
    windows = [SimpleNamespace(mean={Resource.MEMORY: 0.0})] * 2

    assert _noise_ratio([windows], Resource.MEMORY) == 0.0


def test_of_several_levels_the_one_that_kept_most_is_told(memory):
    down = on_the_way_down(memory)
    first, second = len(down.steps) - 2, len(down.steps) - 1
    kept = {first: 3e6, second: 4e6}
    record = bent(down.record(), Resource.MEMORY, lambda _n, index: kept.get(index, 0.0))
    [doubt] = [doubt for doubt in doubts_of(record) if doubt.kind is DoubtKind.KEPT]

    count = down.steps[second].connections
    assert doubt.statement.startswith(f"Memory of the target at {count} connections was 3.8")


@pytest.mark.parametrize(("share", "is_doubted"), [(0.045, False), (0.055, True)])
def test_a_twentieth_of_what_the_peak_added_may_be_kept(memory, share, is_doubted):
    down = on_the_way_down(memory)
    still = replace(down, costs={Resource.MEMORY: replace(down.costs[Resource.MEMORY], noise=0.0)})
    record = still.record()
    wall = plan(record).ladder[0]
    kept = share * (wall.used_at_highest - wall.used_at_baseline)
    spoiled = bent(record, Resource.MEMORY, lambda _n, index: kept * (index >= len(down.steps) - 2))

    assert is_doubted == any(doubt.kind is DoubtKind.KEPT for doubt in doubts_of(spoiled))


@pytest.mark.parametrize(("left", "is_doubted"), [(2.0, False), (3.0, True)])
def test_two_descriptors_that_stay_are_a_pool(venue, cost, ramp, left, is_doubted):
    few = replace(
        venue,
        steps=ramp(10, 20, 30, 20),
        costs={Resource.DESCRIPTORS: cost(baseline=15, connection=1.0)},
        limits={Resource.DESCRIPTORS: 120.0},
    )
    record = bent(few.record(), Resource.DESCRIPTORS, lambda _n, index: left * (index == 4))

    assert is_doubted == any(doubt.kind is DoubtKind.KEPT for doubt in doubts_of(record))


@pytest.mark.parametrize(("each", "is_doubted"), [(0.02, True), (0.0, False), (-0.02, False)])
def test_what_connections_hardly_take_may_stay_and_what_they_do_not_take_may_not(
    venue, cost, ramp, each, is_doubted
):
    """At the highest level they take 0.6 of a descriptor."""
    few = replace(
        venue,
        steps=ramp(10, 20, 30, 20),
        costs={Resource.DESCRIPTORS: cost(baseline=15, connection=each)},
        limits={Resource.DESCRIPTORS: 120.0},
    ).record()
    wall = SimpleNamespace(
        resource=Resource.DESCRIPTORS, used_at_highest=15.0 + 30 * each, used_at_baseline=15.0
    )
    record = bent(few, Resource.DESCRIPTORS, lambda _n, index: 3.0 * (index == 4))
    windows = plateau_windows(record.steps, record.samples, 0.0)

    assert is_doubted == bool(list(_about_way_down(windows, wall, is_near=True)))


def test_processor_time_that_stays_or_rises_is_no_leak(venue, cost):
    busy = on_the_way_down(
        replace(
            venue,
            costs={Resource.CPU: cost(baseline=0.02, connection=9e-4)},
            limits={Resource.CPU: 0.9},
        )
    )
    record = bent(busy.record(), Resource.CPU, lambda _n, index: 0.1 * (index > 8))
    top = record.steps[8]
    rising = tuple(
        replace(
            each,
            used={
                Resource.CPU: each.used[Resource.CPU] + 0.01 * (each.at - top.plateau_started_at)
            },
        )
        if top.plateau_started_at <= each.at <= top.plateau_ended_at
        else each
        for each in record.samples
    )
    found = {doubt.kind for doubt in doubts_of(replace(record, samples=rising))}

    assert not {DoubtKind.KEPT, DoubtKind.RISING} & found


def test_what_memory_takes_while_a_load_is_held_on_is_no_bend(memory):
    top = max((step for step in memory.steps if step.is_mix), key=lambda step: step.connections)
    held = replace(memory, steps=(*memory.steps, replace(top, plateau_s=30.0)))
    record = bent(held.record(), Resource.MEMORY, lambda _n, index: 20e6 * (index == 17))

    assert not {DoubtKind.BENDING, DoubtKind.STEP_HAZARD} & {d.kind for d in doubts_of(record)}
