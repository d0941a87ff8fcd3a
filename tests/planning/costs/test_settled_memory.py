"""Memory that connections take only after a while, from plan to plan."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Resource
from capacity.planning.costs.settled_memory import settling_cost
from capacity.planning.plan import plan

BASELINE, EACH, LATE, SETTLED_AFTER_S = 40e6, 80e3, 60e3, 45.0
ROOM = 1000 * (EACH + LATE)


@pytest.fixture(scope="module")
def collected(venue, cost, safe):
    """A runtime whose garbage of a connection takes 45 s to be as much as the next collection finds."""
    return replace(
        venue,
        steps=safe(8.0, 5),
        costs={Resource.MEMORY: cost(baseline=BASELINE, connection=EACH, noise=0.001)},
        limits={Resource.MEMORY: BASELINE + ROOM},
    )


def held(made, *, times=3, plateau_s=20.0):
    """Return the run with the highest mix held on."""
    top = max((step for step in made.steps if step.is_mix), key=lambda step: step.connections)
    return replace(made, steps=(*made.steps, *[replace(top, plateau_s=plateau_s)] * times))


def settling(made, resource=Resource.MEMORY):
    """Return the record with what comes late to the connections of each level."""
    record, since, before, samples = made.record(), {}, None, []
    for step in record.steps:
        if step.step.connections != before:
            since[step.step.connections] = step.started_at
        before = step.step.connections
    for sample in record.samples:
        step = [step for step in record.steps if step.started_at < sample.at - 1e-6][-1]
        count = step.step.connections
        share = min(1.0, (sample.at - since[count]) / SETTLED_AFTER_S)
        used = {**sample.used, resource: sample.used[resource] + share * LATE * count}
        samples.append(replace(sample, used=used))
    return replace(record, samples=tuple(samples))


def test_what_a_held_load_takes_late_is_charged_to_every_connection(collected):
    found = plan(settling(held(collected)))

    assert isinstance(found, CapacityPlan)
    assert found.capacity.mid == pytest.approx(1000, rel=0.03)


def test_without_holding_on_the_same_server_is_thought_to_hold_a_tenth_more(collected):
    assert plan(settling(collected)).capacity.mid > 1100


def test_memory_that_is_settled_has_the_same_capacity_whether_it_is_held_or_not(collected):
    alone, longer = plan(collected.record()), plan(held(collected).record())

    assert longer.capacity.mid == pytest.approx(alone.capacity.mid, rel=0.01)


def of_processes(record, plain, taken):
    """Return the record whose processes have resident what is *plain*, and a share of what comes late."""
    at_once = {sample.seq: sample.used[Resource.MEMORY] for sample in plain.samples}

    def resident(sample):
        late = sample.used[Resource.MEMORY] - at_once[sample.seq]
        return {"resident_bytes": at_once[sample.seq] + taken * late}

    samples = tuple(replace(s, gauges={**s.gauges, **resident(s)}) for s in record.samples)
    return replace(record, samples=samples)


def test_files_that_are_used_anew_meanwhile_are_not_charged(collected):
    plain, late = held(collected).record(), settling(held(collected))
    none, half, whole = (plan(of_processes(late, plain, taken)).capacity for taken in (0, 0.5, 1))
    unheld = plan(settling(collected)).capacity

    assert none.mid == pytest.approx(unheld.mid, rel=0.05)
    assert none.mid > 1.03 * half.mid > 1.06 * whole.mid
    assert whole.mid == pytest.approx(1000, rel=0.03)


def test_what_others_on_the_host_take_while_a_load_is_held_on_is_not_charged(collected, cost):
    both = {
        Resource.MEMORY: collected.costs[Resource.MEMORY],
        Resource.HOST_MEMORY: cost(baseline=8e9, connection=EACH),
    }
    made = replace(held(collected), costs=both, limits={Resource.HOST_MEMORY: 16e9})
    record, begins = made.record(), len(collected.steps)
    since = record.steps[begins].started_at
    record = replace(
        record,
        samples=tuple(
            replace(s, used={**s.used, Resource.HOST_MEMORY: s.used[Resource.HOST_MEMORY] + 4e9})
            if s.at > since
            else s
            for s in record.samples
        ),
    )

    assert plan(record).capacity.mid > 0.4 * 8e9 / EACH


def test_garbage_takes_no_room_of_a_heap_that_is_collected_when_it_is_full(collected):
    [(_, planted)] = collected.costs.items()
    made = replace(
        held(collected),
        costs={Resource.HEAP: planted},
        limits={Resource.HEAP: BASELINE + 1000 * EACH},
    )

    assert plan(settling(made, Resource.HEAP)).capacity.mid > 550


def seen(step, use, connections, deliveries_per_s=0.0, *, is_held_longer=False):
    return SimpleNamespace(
        step=step,
        mean={Resource.MEMORY: use},
        asked_connections=connections,
        load=SimpleNamespace(deliveries_per_s=deliveries_per_s),
        is_held_longer=is_held_longer,
        resident_bytes=None,
    )


def test_what_is_reached_above_the_line_of_the_fullest_step_is_shared_by_the_connections():
    windows = [
        seen(1, 0.0, 50),
        seen(2, 0.0, 100, 5.0),
        seen(3, 0.0, 100, 9.0),
        seen(4, 400.0, 100, is_held_longer=True),
        seen(5, 500.0, 100, is_held_longer=True),
        seen(6, 900.0, 50, is_held_longer=True),
    ]
    line = np.array([100.0, 450.0, 300.0])

    def cost(resource=Resource.MEMORY, windows=windows, steps=(1, 2, 3)):
        return settling_cost(resource, windows, steps, line[: len(steps)])

    assert cost() == 2.0
    assert cost(steps=(1, 2)) == 0.5
    assert cost(steps=(1,)) == 0.0
    assert cost(windows=windows[:3]) == cost(Resource.HEAP) == 0.0
    assert settling_cost(Resource.MEMORY, windows, (3,), np.array([600.0])) == 0.0
    nobody = [seen(1, 0.0, 0), seen(2, 9.0, 0, is_held_longer=True)]
    assert settling_cost(Resource.MEMORY, nobody, (1,), np.array([1.0])) == 0.0
