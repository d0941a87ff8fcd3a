"""What holds of every plan, whatever the run is like, and however long or damaged it is."""

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Resource
from capacity.planning.plan import plan
from capacity.workload.profiles.profile import Mix, Pace, mixed_step

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.02, poll_interval_s=1.0)
PACE = Pace(connects_per_s=100.0, ramp_timeout_s=60.0, settle_s=3.0, plateau_s=57.0)


def wall(planned, resource):
    return next(wall for wall in planned.ladder if wall.resource is resource)


def test_the_same_run_gives_the_same_plan(venue):

    assert plan(venue.record()) == plan(venue.record())


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_the_order_of_steps_and_samples_does_not_matter(venue, data):
    record = venue.record()
    steps = data.draw(st.permutations(record.steps))
    samples = data.draw(st.permutations(record.samples[:20])) + list(record.samples[20:])
    mixed_up = replace(record, steps=tuple(steps), samples=tuple(samples))

    assert plan(mixed_up).ladder == plan(record).ladder


@settings(max_examples=25, deadline=None)
@given(
    resource=st.sampled_from([Resource.DESCRIPTORS, Resource.MEMORY, Resource.EVENT_LOOP]),
    factor=st.floats(1.0, 20.0),
    seed=st.integers(0, 5),
)
def test_a_higher_limit_never_lowers_the_capacity(venue, resource, factor, seed):
    low = replace(venue, seed=seed)
    high = replace(low, limits={**low.limits, resource: low.limits[resource] * factor})

    assert plan(high.record()).capacity.mid >= plan(low.record()).capacity.mid


@settings(max_examples=25, deadline=None)
@given(
    limits=st.tuples(st.floats(100, 1e5), st.floats(8e7, 1e10), st.floats(0.1, 8.0)),
    seed=st.integers(0, 5),
)
def test_the_capacity_is_at_most_every_ceiling_and_intervals_are_in_order(venue, limits, seed):
    named = dict(zip(venue.limits, limits, strict=True))
    planned = plan(replace(venue, limits=named, seed=seed).record())

    assert isinstance(planned, CapacityPlan)
    for ceiling in (wall.ceiling for wall in planned.ladder):
        assert ceiling.low <= ceiling.mid <= ceiling.high
        assert planned.capacity.mid <= ceiling.mid
        assert planned.capacity.low <= ceiling.low
        assert planned.capacity.high <= ceiling.high
    if planned.ladder[0].binding_probability == 1.0:
        assert planned.capacity.mid == planned.ladder[0].ceiling.mid


def test_a_run_of_an_hour_is_planned(venue, safe):
    record = replace(venue, steps=safe(397.0)).record()

    assert len(record.samples) >= 3600
    assert isinstance(plan(record), CapacityPlan)


def crossed(levels):
    """Return steps in which polls, subscriptions and churn are switched independently."""
    steps = [replace(mixed_step(0, MIX, PACE), is_mix=False)]
    for index in range(1, levels):
        full = replace(mixed_step(10 * index, MIX, PACE), churn_per_s=0.1 * index)
        steps.append(
            replace(
                full,
                subscriptions_per_connection=2 * (index % 2),
                requests_per_s=full.requests_per_s * (index // 2 % 2),
                churn_per_s=full.churn_per_s * (index // 4 % 2),
                is_mix=index % 8 == 7,
            )
        )
    return tuple(steps)


def test_an_hour_of_sixty_steps_with_everything_varied_is_planned(venue):
    record = replace(venue, steps=crossed(60)).record()
    planned = plan(record)

    assert len(record.samples) >= 3400
    assert "handshakes_per_s" in wall(planned, Resource.MEMORY).cost.separated


BROKEN = st.sampled_from([math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300, None])


def damaged(value, broken):
    """Return the mapping without what is None and with what else is broken."""
    changed = {**value, **broken}
    return {name: number for name, number in changed.items() if number is not None}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_readings_give_a_plan_or_an_excuse_with_numbers_that_are_numbers(venue, data):
    record = venue.record()
    hit = data.draw(st.sets(st.integers(0, len(record.samples) - 1), max_size=80))
    broken = data.draw(st.dictionaries(st.sampled_from(sorted(venue.costs)), BROKEN, max_size=3))
    slips = data.draw(
        st.dictionaries(
            st.integers(0, len(record.steps) - 1),
            st.tuples(
                st.sampled_from(
                    ["connections", "deliveries_per_s", "requests_per_s", "handshakes_per_s"]
                ),
                BROKEN.filter(lambda value: value is not None),
            ),
            max_size=3,
        )
    )
    samples = tuple(
        replace(sample, used=damaged(sample.used, broken)) if n in hit else sample
        for n, sample in enumerate(record.samples)
    )
    steps = tuple(
        replace(step, load=replace(step.load, **dict([slips[n]]))) if n in slips else step
        for n, step in enumerate(record.steps)
    )
    planned = plan(replace(record, samples=samples, steps=steps))

    if isinstance(planned, Excuse):
        assert planned.reason
        assert planned.remedy
    else:
        numbers = [planned.capacity.low, planned.capacity.mid, planned.capacity.high]
        assert all(math.isfinite(number) for number in numbers)
        assert numbers == sorted(numbers)
