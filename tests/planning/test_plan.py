import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.domain.caveats import ASSUMED, DoubtKind
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.evidence.windows import DESCRIPTOR_LIMIT
from capacity.planning.plan import plan
from capacity.workload.profiles.profile import Mix, Pace, mixed_step

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.02, poll_interval_s=1.0)
PACE = Pace(connects_per_s=100.0, ramp_timeout_s=60.0, settle_s=3.0, plateau_s=57.0)


def wall(planned, resource):
    return next(wall for wall in planned.ladder if wall.resource is resource)


def declared(resource, value):
    return Limit(
        resource=resource,
        state=LimitState.KNOWN,
        value=value,
        scope="declared",
        source="worker_connections",
    )


@pytest.mark.parametrize("seed", range(5))
def test_planted_ceilings_are_found_from_a_quarter_of_the_load(venue, seed):
    planned = plan(replace(venue, seed=seed).record())
    truth = {name: truth.ceiling(venue.limits[name]) for name, truth in venue.costs.items()}

    assert planned.binding is Resource.DESCRIPTORS
    assert planned.capacity.mid == pytest.approx(truth[Resource.DESCRIPTORS], rel=0.001)
    assert wall(planned, Resource.MEMORY).ceiling.mid == pytest.approx(
        truth[Resource.MEMORY], rel=0.02
    )
    assert wall(planned, Resource.EVENT_LOOP).ceiling.mid == pytest.approx(
        truth[Resource.EVENT_LOOP], rel=0.12
    )


@pytest.mark.parametrize("binding", [Resource.DESCRIPTORS, Resource.MEMORY, Resource.EVENT_LOOP])
def test_the_planted_wall_is_the_one_that_binds(venue, binding):
    tight = {
        name: truth.baseline
        + (400 if name is binding else 2000) / truth.ceiling(1.0 + truth.baseline)
        for name, truth in venue.costs.items()
    }
    planned = plan(replace(venue, limits=tight).record())

    assert planned.binding is binding
    assert planned.capacity.mid == pytest.approx(400, rel=0.12)
    assert planned.ladder[0].binding_probability > 0.9


def test_garbage_collections_and_a_restart_leave_the_ceilings_where_they_are(venue, cost):
    rough = replace(
        venue,
        costs={
            **venue.costs,
            Resource.MEMORY: cost(
                baseline=60e6, connection=60e3, delivery=500.0, noise=0.003, spike=1e6
            ),
        },
        restarts_at=(1,),
    )
    planned = plan(rough.record())
    truth = rough.costs[Resource.MEMORY].ceiling(256e6 - 1e6)

    assert wall(planned, Resource.MEMORY).ceiling.mid == pytest.approx(truth, rel=0.04)
    assert planned.capacity.mid == pytest.approx(985, rel=0.001)
    assert DoubtKind.TARGET_RESTARTED in {doubt.kind for doubt in planned.doubts}


@pytest.mark.parametrize(
    ("collection", "share"), [(1.5, 1 / 12), (0.6, 1 / 8)], ids=["rare", "often"]
)
def test_work_that_comes_in_bursts_leaves_the_safe_number_safe(
    venue, cost, safe, collection, share
):
    truth = cost(
        baseline=0.02,
        connection=1e-4,
        delivery=8e-5,
        noise=0.03,
        collection=collection,
        collected_share=share,
    )
    planted = replace(
        venue, costs={Resource.CPU: truth}, limits={Resource.CPU: 1.0}, steps=safe(12.0, 5)
    )
    plans = [plan(replace(planted, seed=seed).record()) for seed in range(30)]
    ceiling = truth.ceiling(1.0)

    assert np.median([p.capacity.mid for p in plans]) == pytest.approx(ceiling, rel=0.03)
    assert sum(p.safe_capacity > ceiling for p in plans) <= 2


def test_memory_lost_in_its_scatter_still_bounds_what_is_safe(venue, cost, safe):
    truth = cost(baseline=60e6, connection=40e3, step_noise=0.02)
    planted = replace(
        venue,
        costs={Resource.MEMORY: truth, Resource.DESCRIPTORS: cost(baseline=12, connection=1.0)},
        limits={Resource.MEMORY: 60e6 + 700 * 40e3, Resource.DESCRIPTORS: 4096.0},
        steps=[replace(s, connections=s.connections // 4) for s in safe(12.0, 5)],
    )
    plans = [plan(replace(planted, seed=seed).record()) for seed in range(40)]

    assert all(Resource.MEMORY in {wall.resource for wall in p.ladder} for p in plans)
    assert any(not w.ceiling.is_bounded for p in plans for w in p.ladder)
    assert sum(p.safe_capacity > 700 for p in plans) <= 2


def test_the_safe_capacity_is_the_whole_number_below_the_interval(venue):
    planned = plan(venue.record())
    highest = max(step.connections for step in venue.steps)

    assert planned.capacity.low - 1 < planned.safe_capacity <= planned.capacity.low
    assert planned.extrapolation_ratio == planned.capacity.mid / highest
    assert planned.highest_connections == highest


@pytest.fixture
def prefork(venue, cost):
    """Record a worker with 10 descriptors of its own and 20,000 allowed, below an idle master.

    The agent sees the master until the worker fills up, and reads its limit before the load.
    """

    def record(steps, master_descriptors, master_limit):
        worker = replace(
            venue,
            steps=steps,
            costs={Resource.DESCRIPTORS: cost(baseline=10, connection=1.0)},
            limits={Resource.DESCRIPTORS: master_limit},
        ).record()
        return replace(
            worker,
            samples=tuple(
                replace(
                    sample,
                    used={
                        Resource.DESCRIPTORS: max(
                            sample.used[Resource.DESCRIPTORS], master_descriptors
                        )
                    },
                    gauges={
                        DESCRIPTOR_LIMIT: 20_000.0
                        if sample.used[Resource.DESCRIPTORS] > 15
                        else master_limit
                    },
                )
                for sample in worker.samples
            ),
        )

    return record


@pytest.mark.parametrize("levels", [(61, 122, 183, 245), (80, 160)])
@pytest.mark.parametrize("master_descriptors", [0.0, 12.0, 16.0, 60.0])
@pytest.mark.parametrize("master_limit", [1024.0, 65_536.0])
def test_the_worker_of_a_prefork_server_is_planned_exactly(
    prefork, ramp, levels, master_descriptors, master_limit
):
    steps = [replace(step, requests_per_s=0.0) for step in ramp(*levels)]
    planned = plan(prefork(steps, master_descriptors, master_limit))

    assert planned.capacity.mid == 20_000 - 10
    assert planned.capacity.low == planned.capacity.high
    assert planned.ladder[0].limit.value == 20_000


@pytest.mark.parametrize("declared_connections", [256.0, 1024.0])
def test_a_publishers_connection_takes_one_of_the_declared(venue, cost, ramp, declared_connections):
    steps = [replace(step, requests_per_s=0.0) for step in ramp(30, 60, 90)]
    counted = replace(
        venue,
        steps=steps,
        costs={
            Resource.APPLICATION_CONNECTIONS: cost(baseline=1, connection=1),
            Resource.DESCRIPTORS: cost(baseline=11, connection=1),
        },
        limits={Resource.DESCRIPTORS: 20_000.0},
    ).record()
    # A census is taken with every other sample only.
    rarer = replace(
        counted,
        samples=tuple(
            replace(s, used={Resource.DESCRIPTORS: s.used[Resource.DESCRIPTORS]})
            if s.seq % 2
            else s
            for s in counted.samples
        ),
    )
    limit = declared(Resource.APPLICATION_CONNECTIONS, declared_connections)
    planned = plan(rarer, declared=[limit])

    assert planned.binding is Resource.APPLICATION_CONNECTIONS
    assert planned.capacity.mid == declared_connections - 1
    assert planned.safe_capacity == declared_connections - 1


def test_a_declared_limit_binds_against_the_census_of_the_agent(venue, cost):
    counted = replace(
        venue,
        costs={
            **venue.costs,
            Resource.APPLICATION_CONNECTIONS: cost(baseline=3, connection=1, request=1),
        },
    )
    planned = plan(counted.record(), declared=[declared(Resource.APPLICATION_CONNECTIONS, 512.0)])

    assert planned.binding is Resource.APPLICATION_CONNECTIONS
    assert planned.capacity.mid == pytest.approx(509 / 1.02, abs=1.0)
    assert planned.ladder[0].limit.source == "worker_connections"


def test_without_a_census_the_generators_count_serves_and_says_so(venue):
    planned = plan(venue.record(), declared=[declared(Resource.APPLICATION_CONNECTIONS, 512.0)])

    assert planned.capacity.mid == 512.0
    assert "counted by the generator" in planned.ladder[0].limit.source


def test_a_declared_limit_above_the_one_read_changes_nothing(venue):
    record = venue.record()

    assert plan(record, declared=[declared(Resource.DESCRIPTORS, 9999.0)]) == plan(record)


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


@pytest.mark.parametrize("resource", [Resource.MEMORY, Resource.EVENT_LOOP])
def test_use_that_falls_with_the_load_sets_no_ceiling(venue, cost, resource):
    falling = cost(baseline=1e6, connection=-1e3)
    record = replace(venue, costs={resource: falling}, limits={resource: 2e6}).record()
    excuse = plan(record)

    assert isinstance(excuse, Excuse)
    assert "no measurable cost per connection" in excuse.reason


def test_a_load_that_never_changes_is_an_excuse(venue, ramp):
    record = replace(venue, steps=ramp(100, 100, 100)[1:]).record()
    excuse = plan(record)

    assert isinstance(excuse, Excuse)
    assert "Only one connection level" in excuse.reason


def test_without_any_reading_of_what_is_limited_there_is_an_excuse(venue):
    record = venue.record()
    blind = tuple(replace(sample, used={}) for sample in record.samples)
    excuse = plan(replace(record, samples=blind))

    assert isinstance(excuse, Excuse)
    assert "usage not read" in excuse.reason


def test_what_holds_of_every_plan_is_no_doubt_of_this_one(venue):
    record = venue.record()
    answer = plan(replace(record, manifest=replace(record.manifest, same_host=True)))

    assert {DoubtKind.SHARED_HOST, DoubtKind.OWN_CAP} == {each.kind for each in answer.assumptions}
    assert not {each.kind for each in answer.doubts} & ASSUMED
