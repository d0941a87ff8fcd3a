"""Descriptors of workers among which the kernel deals the connections out by chance."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.resources import Resource
from capacity.planning.costs.uneven_share import (
    ceilings_by_chance,
    evenly_shared,
    shares_of,
    sharing_processes,
)
from capacity.planning.evidence.windows import plateau_windows
from capacity.planning.plan import plan


def shared_record(venue, cost, *, processes, preferred=0.0, seed=1, levels=(75, 150, 225, 300)):
    """A run on *processes* workers of which the first one gets a share of *preferred* more."""
    planted = replace(
        venue,
        costs={Resource.DESCRIPTORS: cost(baseline=8, connection=1)},
        limits={Resource.DESCRIPTORS: 600.0},
    )
    record = planted.record()
    random = np.random.default_rng(seed)
    shares = np.full(processes, (1 - preferred) / processes)
    shares[0] += preferred
    dealt = random.choice(processes, size=2000, p=shares)

    def of(sample):
        opened = round(sample.used[Resource.DESCRIPTORS]) - 8
        counts = np.bincount(dealt[:opened], minlength=processes)
        return replace(
            sample,
            used={Resource.DESCRIPTORS: float(8 + counts.max())},
            gauges={
                "filling_processes": float(processes if opened else 0),
                "filling_descriptors": float(8 * processes + opened if opened else 0),
            },
        )

    return replace(record, samples=tuple(of(sample) for sample in record.samples))


@pytest.mark.parametrize("processes", [2, 4])
def test_the_capacity_is_where_chance_fills_the_fullest(venue, cost, processes):
    """592 fit into each: an even share would hold 592 for each, dealt out it is a little less."""
    found = [
        plan(shared_record(venue, cost, processes=processes, seed=seed)).capacity
        for seed in range(8)
    ]
    spread = 592 * processes
    chance = [spread - processes * z * np.sqrt(592) for z in (1.8, 0.3)]

    assert all(chance[0] < each.mid < chance[1] for each in found)
    assert all(each.low < each.mid < each.high <= spread + processes for each in found)


def test_a_preferred_process_is_extrapolated_as_measured(venue, cost):
    found = plan(shared_record(venue, cost, processes=2, preferred=0.4))

    assert found.capacity.mid == pytest.approx(592 / 0.7, rel=0.07)


def test_the_doubt_says_what_an_even_share_would_hold(venue, cost):
    found = plan(shared_record(venue, cost, processes=2))
    [doubt] = [each for each in found.doubts if each.kind is DoubtKind.UNEVEN_SHARE]

    assert "2 processes share the connections" in doubt.statement
    assert "1,18" in doubt.statement


def test_the_doubt_about_a_preferred_process_is_told_from_what_all_have_open(venue, cost):
    """Of two workers one has 70 %: 592 fit into each, 1,184 into both."""
    found = plan(shared_record(venue, cost, processes=2, preferred=0.4))
    [doubt] = [each for each in found.doubts if each.kind is DoubtKind.UNEVEN_SHARE]

    assert "more than chance explains" in doubt.statement
    said = re.search(r"even distribution they would hold ([0-9,]+)\.", doubt.statement)
    assert int(said[1].replace(",", "")) == pytest.approx(1184, rel=0.03)
    assert "all accept from one socket" in doubt.remedy


def test_shares_are_those_of_the_plateau_with_most_connections(venue, cost):
    record = shared_record(venue, cost, processes=2, preferred=0.4)
    windows = plateau_windows(record.steps, record.samples, 0.0)
    found = shares_of(windows, 600.0, 8.0)

    assert found.fullest_ratio == pytest.approx(0.7, abs=0.06)
    assert (found.is_by_chance, round(found.even)) == (False, 1184)
    assert shares_of([replace(w, shared_descriptors=None) for w in windows], 600.0, 8.0) is None
    assert shares_of([replace(w, shared_descriptors=16.0) for w in windows], 600.0, 8.0) is None
    assert shares_of([replace(w, processes=1) for w in windows], 600.0, 8.0) is None


def test_one_process_has_no_share_to_doubt(venue, cost):
    found = plan(shared_record(venue, cost, processes=1))

    assert found.capacity.mid == 592
    assert DoubtKind.UNEVEN_SHARE not in {doubt.kind for doubt in found.doubts}


@pytest.mark.parametrize(("seen", "is_shared"), [(1, False), (2, True), (3, True)])
def test_a_share_needs_two_levels_of_connections(venue, cost, seen, is_shared):
    record = shared_record(venue, cost, processes=2)
    windows = plateau_windows(record.steps, record.samples, 0.0)
    loads = sorted({window.load.connections for window in windows})
    few = [window for window in windows if window.load.connections in loads[-seen:]]

    assert is_shared == (evenly_shared(few) is not None)


def test_an_even_share_is_that_of_windows_in_which_all_had_begun_to_fill_up(venue, cost):
    record = shared_record(venue, cost, processes=4)
    windows = plateau_windows(record.steps, record.samples, 0.0)
    shares = [w.mean.get(Resource.DESCRIPTORS) for w in evenly_shared(windows)]

    assert [share for share in shares if share is not None] == [
        w.shared_descriptors / 4 for w in windows if w.processes == 4
    ]
    assert sharing_processes([replace(windows[0], processes=9), windows[-1]]) == 4
    assert evenly_shared([replace(w, processes=1) for w in windows]) is None


@pytest.mark.parametrize(("marginal", "has_ceilings"), [(0.0, False), (0.25, True)])
def test_a_share_that_costs_nothing_has_no_ceiling(venue, cost, marginal, has_ceilings):
    record = shared_record(venue, cost, processes=4)
    windows = plateau_windows(record.steps, record.samples, 0.0)
    even = SimpleNamespace(baseline=np.array([8.0]), marginal=np.array([marginal]))
    found = ceilings_by_chance(even, windows, 600.0, np.array([-1.0, 0.0, 1.0]))

    assert has_ceilings is (found is not None)
    # A process holds 592; the more chance prefers one, the fewer all hold.
    assert found is None or 4 * 592 > found[0] > found[1] > found[2] > 2000
