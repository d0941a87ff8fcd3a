import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from capacity.domain import units
from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.bottlenecks.ceilings import _lowest, walls
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.windows import plateau_windows


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


@pytest.fixture
def twins(venue, cost):
    """What is found of two resources that run out at once."""
    twin = cost(baseline=60e6, connection=60e3, noise=0.002)
    return walls_of(
        replace(
            venue,
            costs={Resource.MEMORY: twin, Resource.ADDRESS_SPACE: twin},
            limits={Resource.MEMORY: 120e6, Resource.ADDRESS_SPACE: 120e6},
        )
    )


def test_two_equal_walls_share_the_probability(twins):
    assert all(0.2 < wall.binding_probability < 0.8 for wall in twins.ladder)


def test_the_interval_of_the_capacity_is_that_of_the_minimum(twins):
    assert twins.capacity.high < min(wall.ceiling.high for wall in twins.ladder)
    assert twins.capacity.low <= min(wall.ceiling.low for wall in twins.ladder)


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

    assert sorted(named) == sorted(set(Resource) - LATENCIES - {Resource.UNIDENTIFIED})
    assert all(entry.reason for entry in found.no_ceiling)


@pytest.mark.parametrize(
    ("state", "words"),
    [(LimitState.UNLIMITED, "unlimited (/planted"), (LimitState.UNKNOWN, "denied")],
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

    assert reason == "usage not read: module not loaded"


def test_the_further_the_reach_the_wider_the_interval(venue):
    widths = []
    for limit_cores in (0.15, 0.5, 2.0):
        limits = {Resource.EVENT_LOOP: limit_cores}
        ceiling = walls_of(replace(venue, limits=limits)).ladder[0].ceiling
        widths.append(ceiling.high / ceiling.low - 1.0)

    assert widths[0] < 0.8 * widths[1] < 0.6 * widths[2]


def noisy_beside_descriptors(venue, cost, descriptors, noisy):
    """Return the walls of a certain count, and of host memory that only scatters."""
    found = walls_of(
        replace(
            venue,
            costs={
                Resource.DESCRIPTORS: cost(baseline=15, connection=1.0),
                Resource.HOST_MEMORY: noisy,
            },
            limits={Resource.DESCRIPTORS: descriptors, Resource.HOST_MEMORY: 4e9},
        )
    )
    return found, {wall.resource: wall for wall in found.ladder}.get(Resource.HOST_MEMORY)


def test_a_cost_that_may_be_nothing_keeps_the_lower_end_of_its_wall(venue, cost):
    noisy = cost(baseline=2e9, noise=0.01, step_noise=0.01)
    found, wall = noisy_beside_descriptors(venue, cost, 1e6, noisy)

    assert not wall.ceiling.is_bounded
    assert wall.ceiling.low < 250_000
    assert found.capacity.low == wall.ceiling.low
    assert found.capacity.is_bounded
    assert sum(entry.binding_probability for entry in found.ladder) == pytest.approx(1.0)


def test_far_beyond_the_first_wall_it_is_told_as_a_resource_without_one(venue, cost):
    noisy = cost(baseline=2e9, noise=0.01, step_noise=0.01)
    _, wall = noisy_beside_descriptors(venue, cost, 1e6, noisy)
    far = 15 + wall.ceiling.low / 10.0
    _, just_near = noisy_beside_descriptors(venue, cost, 1.02 * far, noisy)
    found, just_far = noisy_beside_descriptors(venue, cost, 0.98 * far, noisy)
    [entry] = [e for e in found.no_ceiling if e.resource is Resource.HOST_MEMORY]

    assert just_near.ceiling == wall.ceiling
    assert just_far is None
    assert entry.reason == (
        "no measurable cost per connection up to 245 connections;"
        f" capacity at least {units.about(wall.ceiling.low)}"
    )


def test_an_uncertain_wall_beyond_a_counted_one_leaves_that_exact(venue, cost):
    noisy = cost(baseline=2e9, noise=0.01, step_noise=0.01)
    found, wall = noisy_beside_descriptors(venue, cost, 4096, noisy)

    assert wall is not None
    assert (found.capacity.low, found.capacity.high) == (4081.0, 4081.0)


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


def test_the_fan_widens_with_its_confidence_and_ends_at_the_interval_of_the_capacity(venue, cost):
    noisy = cost(baseline=60e6, connection=60e3, noise=0.02)
    found = walls_of(
        replace(venue, costs={Resource.MEMORY: noisy}, limits={Resource.MEMORY: 120e6})
    )

    assert [each.confidence for each in found.fan] == [0.5, 0.8, 0.9]
    assert found.fan[-1] == found.capacity
    for inner, outer in pairwise(found.fan):
        assert outer.low <= inner.low <= inner.mid <= inner.high <= outer.high
    assert found.fan[0].high - found.fan[0].low < found.capacity.high - found.capacity.low


@pytest.mark.parametrize(
    ("first", "second", "forecast"),
    [
        # Medians of 2 for the minimum and 3 for the first wall alone.
        ([1.0, 4.0, 3.0, 2.0], [5.0, 2.0, 3.0, 9.0], 4 / 3),
        ([0.1, 0.4, 0.3, 0.2], [0.5, 0.2, 0.3, 0.9], 0.4 / 3),
        ([1.0, 4.0, 3.0, 2.0], [5.0, 6.0, 7.0, 9.0], 2.0),
        ([0.0, 0.0, 3.0, 2.0], [5.0, 6.0, 7.0, 9.0], 2.0),
        ([math.inf, math.inf, 3.0, 2.0], [5.0, 6.0, 7.0, 9.0], 2.0),
    ],
)
def test_the_forecast_is_lowered_as_the_minimum_is_below_the_first_wall(first, second, forecast):
    found = _lowest(np.array([first, second]))

    assert found[-1] == pytest.approx(forecast)
    assert found[:-1].tolist() == [min(pair) for pair in zip(first[:-1], second[:-1], strict=True)]
