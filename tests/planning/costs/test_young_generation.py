"""Garbage that comes once, planted: it fills with the first connections, and then no more."""

from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.resources import Resource
from capacity.planning.costs.fitted_costs import ResourceFit
from capacity.planning.costs.young_generation import garbage_bytes, garbage_ratio, may_come_once
from capacity.planning.plan import plan

MIB = 1 << 20
BASE, EACH, LIMIT = 60e6, 65e3, 200e6


@pytest.fixture
def collected_late(venue, cost, safe):
    """Return the plan of a run on a target that keeps up to *most* bytes of garbage."""

    class Collected(cost):
        def use(self, load):
            return super().use(load) + min(garbage, 50e3 * load.connections)

    def planned(most, name):
        nonlocal garbage
        garbage = most
        record = replace(
            venue,
            steps=safe(4.0, 6),
            costs={Resource.MEMORY: Collected(baseline=BASE, connection=EACH, noise=0.002)},
            limits={Resource.MEMORY: LIMIT},
        ).record()
        agent = replace(record.manifest.agent, target_name=name)
        return plan(replace(record, manifest=replace(record.manifest, agent=agent)))

    garbage = 0.0
    return planned


def test_the_upper_end_reaches_what_is_held_where_garbage_comes_once(collected_late):
    truth = (LIMIT - BASE - 16e6) / EACH
    unnamed, named = (collected_late(16e6, name) for name in ("planted", "node"))

    assert unnamed.capacity.high < truth
    assert named.capacity.low < truth < named.capacity.high
    assert named.capacity.mid == unnamed.capacity.mid
    assert named.safe_capacity == pytest.approx(unnamed.safe_capacity, rel=0.05)


def test_no_garbage_is_no_reason_to_promise_more_than_safe(collected_late):
    truth = (LIMIT - BASE) / EACH

    assert collected_late(0.0, "node").safe_capacity <= truth


@pytest.mark.parametrize(
    ("name", "mib"),
    [("node", 32), ("deno", 32), ("ruby3.1", 32), ("puma", 32), ("python3", 0), ("beam.smp", 0)],
)
def test_a_runtime_is_known_by_the_name_of_its_program(venue, name, mib):
    agent = replace(venue.record().manifest.agent, target_name=name)

    assert garbage_bytes(agent) == mib * MIB
    assert garbage_bytes(None) == 0


@pytest.mark.parametrize(
    ("added", "ratio"),
    [(0.0, 0.0), (-1.0, 0.0), (1.0, 0.5), (64.0, 0.5), (65.0, 32 / 65), (640.0, 0.05)],
)
def test_at_most_half_of_what_was_added_is_garbage(added, ratio):
    assert garbage_ratio(32.0, added) == pytest.approx(ratio)


@pytest.fixture
def fit(venue):
    wall = next(each for each in plan(venue.record()).ladder if each.resource is Resource.MEMORY)
    return ResourceFit(
        cost=wall.cost, baseline=np.full(9, 100.0), marginal=np.linspace(2.0, 4.0, 9)
    )


def test_such_a_line_meets_the_same_use_at_the_load_and_the_fit_stays(fit):
    moved = may_come_once(Resource.MEMORY, fit, 1e9, 50.0)
    is_moved = moved.marginal != fit.marginal

    assert is_moved.tolist() == [False, True, False, False, False, True, False, False, False]
    assert moved.marginal[1] == fit.marginal[1] / 2
    assert np.allclose(moved.baseline + 50.0 * moved.marginal, fit.baseline + 50.0 * fit.marginal)


def test_no_more_than_the_garbage_comes_once(fit):
    moved = may_come_once(Resource.HEAP, fit, 10.0, 50.0)

    assert (moved.baseline[1], moved.marginal[1]) == (110.0, fit.marginal[1] - 0.2)


@pytest.mark.parametrize(
    ("resource", "garbage", "connections"),
    [(Resource.CPU, 10.0, 50.0), (Resource.MEMORY, 0.0, 50.0), (Resource.MEMORY, 10.0, 0.0)],
)
def test_what_has_no_garbage_stays_as_it_is(fit, resource, garbage, connections):
    assert may_come_once(resource, fit, garbage, connections) is fit
