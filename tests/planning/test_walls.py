from dataclasses import replace

import pytest

from capacity.domain.resources import LATENCIES, Limit, LimitState, Resource
from capacity.planning.components import attribution
from capacity.planning.mix import measured_mix
from capacity.planning.walls import walls
from capacity.planning.windows import plateau_windows


def walls_of(planted, limits=None, missing=None):
    record = planted.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    known = {limit.resource: limit for limit in record.manifest.agent.limits}
    return walls(
        windows, attribution(windows), measured_mix(record.steps), limits or known, missing or {}
    )


def limit(resource, state):
    return Limit(
        resource=resource, state=state, value=None, scope="host", source="/planted", reason="denied"
    )


def test_probabilities_of_binding_add_up_to_one(venue):
    found = walls_of(venue)

    assert sum(wall.binding_probability for wall in found.ladder) == pytest.approx(1.0)


def test_two_equal_walls_share_the_probability(venue, cost):
    twin = cost(baseline=60e6, connection=60e3, noise=0.002)
    found = walls_of(
        replace(
            venue,
            costs={Resource.MEMORY: twin, Resource.HOST_MEMORY: twin},
            limits={Resource.MEMORY: 120e6, Resource.HOST_MEMORY: 120e6},
        )
    )

    assert all(0.2 < wall.binding_probability < 0.8 for wall in found.ladder)


def test_the_interval_of_the_capacity_is_that_of_the_minimum(venue, cost):
    twin = cost(baseline=60e6, connection=60e3, noise=0.002)
    found = walls_of(
        replace(
            venue,
            costs={Resource.MEMORY: twin, Resource.HOST_MEMORY: twin},
            limits={Resource.MEMORY: 120e6, Resource.HOST_MEMORY: 120e6},
        )
    )

    assert found.capacity.high < min(wall.ceiling.high for wall in found.ladder)
    assert found.capacity.low <= min(wall.ceiling.low for wall in found.ladder)


def twice_read(venue, cost, limit_cores):
    """Return the walls of one reading of the processor, and of the same one called event loop too."""
    truth = cost(baseline=0.02, connection=9e-4, noise=0.03)
    record = replace(
        venue, costs={Resource.CPU: truth}, limits={Resource.CPU: limit_cores}
    ).record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    both = [
        replace(
            window,
            **{
                name: {**known, Resource.EVENT_LOOP: known[Resource.CPU]}
                for name, known in (
                    ("mean", window.mean),
                    ("peak", window.peak),
                    ("error", window.error),
                )
            },
        )
        for window in windows
    ]
    once = {limit.resource: limit for limit in record.manifest.agent.limits}
    twice = once | {Resource.EVENT_LOOP: replace(once[Resource.CPU], resource=Resource.EVENT_LOOP)}
    mix = measured_mix(record.steps)
    return [
        walls(rows, attribution(rows), mix, limits, {})
        for rows, limits in ((windows, once), (both, twice))
    ]


@pytest.mark.parametrize("limit_cores", [0.9, 3.6])
def test_one_reading_under_two_names_is_one_wall(venue, cost, limit_cores):
    alone, together = twice_read(venue, cost, limit_cores)

    assert len(together.ladder) == 2
    assert together.capacity == alone.capacity


def test_the_middle_is_that_of_the_minimum_where_several_walls_may_come_first(venue, cost):
    noisy = cost(baseline=0.02, connection=9e-4, noise=0.03)
    found = walls_of(
        replace(
            venue,
            costs={
                Resource.CPU: noisy,
                Resource.MEMORY: cost(baseline=60e6, connection=60e3, noise=0.002),
            },
            limits={Resource.CPU: 0.9, Resource.MEMORY: 60e6 + 60e3 * 978},
        )
    )
    alone = [wall.ceiling.mid for wall in found.ladder]

    assert max(alone) < 1.03 * min(alone)
    assert 0.9 * min(alone) < found.capacity.mid < 0.995 * min(alone)


def test_a_counted_ceiling_is_whole_and_sure(venue):
    ceiling = next(w for w in walls_of(venue).ladder if w.resource is Resource.DESCRIPTORS).ceiling

    assert ceiling.mid == int(ceiling.mid)
    assert ceiling.high - ceiling.low <= 0.005 * ceiling.mid


def test_use_at_the_baseline_and_at_the_highest_plateau_is_that_measured(venue):
    wall = next(w for w in walls_of(venue).ladder if w.resource is Resource.DESCRIPTORS)

    fullest = max(venue.steps, key=lambda step: (step.connections, step.is_mix))

    assert wall.used_at_baseline == 15.0
    assert wall.used_at_highest == 15 + fullest.connections + round(fullest.requests_per_s)


def test_every_resource_is_either_a_wall_or_says_why_not(venue):
    found = walls_of(venue)
    named = [w.resource for w in found.ladder] + [entry.resource for entry in found.no_ceiling]

    assert sorted(named) == sorted(set(Resource) - LATENCIES)
    assert all(entry.reason for entry in found.no_ceiling)


@pytest.mark.parametrize(
    ("state", "words"),
    [(LimitState.UNLIMITED, "unlimited, says /planted"), (LimitState.UNKNOWN, "denied")],
)
def test_without_a_number_there_is_no_wall(venue, state, words):
    found = walls_of(venue, {Resource.MEMORY: limit(Resource.MEMORY, state)})
    reason = next(e.reason for e in found.no_ceiling if e.resource is Resource.MEMORY)

    assert found.capacity is None
    assert words in reason


def test_a_resource_that_was_never_read_gives_the_agents_reason(venue):
    known = Limit(
        resource=Resource.CONNTRACK,
        state=LimitState.KNOWN,
        value=65536.0,
        scope="host",
        source="/planted",
    )
    found = walls_of(venue, {Resource.CONNTRACK: known}, {"conntrack": "module not loaded"})
    reason = next(e.reason for e in found.no_ceiling if e.resource is Resource.CONNTRACK)

    assert reason == "its use was not read: module not loaded"


def test_the_further_the_reach_the_wider_the_interval(venue):
    widths = []
    for limit_cores in (0.15, 0.5, 2.0):
        limits = {Resource.EVENT_LOOP: limit_cores}
        ceiling = walls_of(replace(venue, limits=limits)).ladder[0].ceiling
        widths.append(ceiling.high / ceiling.low - 1.0)

    assert widths[0] < 0.8 * widths[1] < 0.6 * widths[2]


def test_noise_is_no_cost(venue, cost):
    walled = 0
    for seed in range(40):
        found = walls_of(
            replace(
                venue,
                costs={Resource.CPU: cost(baseline=0.5, noise=0.03)},
                limits={Resource.CPU: 4.0},
                seed=seed,
            )
        )
        walled += bool(found.ladder)

    assert walled <= 4
