import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.caveats import RISING_RATIO, DoubtKind
from capacity.domain.plan import Excuse
from capacity.domain.resources import Resource
from capacity.planning.caveats.rising_use import _is_as_loaded, rising_doubts
from capacity.planning.evidence.windows import plateau_windows
from capacity.planning.plan import plan

RISES = runpy.run_path(str(Path(__file__).with_name("rises.py")))
BASELINE = RISES["BASELINE"]
PER_CONNECTION = RISES["PER_CONNECTION"]
memory = RISES["memory"]
rising_with_time = RISES["rising_with_time"]
revisiting = RISES["revisiting"]


@pytest.fixture(scope="module", params=[Resource.OUTGOING_PORTS, Resource.CONNTRACK])
def lingering(request, venue, cost, safe):
    """A count gives out first of which every connection takes one."""
    costs = {request.param: cost(baseline=4, connection=1.0)}
    made = replace(venue, steps=safe(8.0, 8), costs=costs, limits={request.param: 1000.0})
    return request.param, made.record()


def rising(record, ratio_per_s, *, highest, resource=Resource.MEMORY, each=PER_CONNECTION):
    """Return the record with a use that rises from the start of each step, or of the highest one,

    by *ratio_per_s* of what the connections take.
    """
    most = max(step.step.connections for step in record.steps)

    def added(at):
        step = [step for step in record.steps if step.started_at < at - 1e-6][-1]
        if (step.step.connections == most) is not highest:
            return 0.0
        return ratio_per_s * each * step.step.connections * (at - step.started_at)

    samples = tuple(
        replace(
            sample,
            used={**sample.used, resource: sample.used[resource] + added(sample.at)},
        )
        for sample in record.samples
    )
    return replace(record, samples=samples)


def rising_doubts_of(record):
    return [doubt for doubt in plan(record).doubts if doubt.kind is DoubtKind.RISING]


def test_memory_that_rises_while_nobody_joins_is_doubted_with_the_time_until_it_is_full(memory):
    record = rising(memory.record(), 0.01, highest=True)
    (doubt,) = rising_doubts_of(record)
    most = max(step.step.connections for step in record.steps)
    minutes, seconds = re.search(r"reached after (\d+) min(?: (\d+) s)?", doubt.statement).groups()
    room_s = (1000 - most) / (0.01 * most)

    assert f"At a constant {most} connections," in doubt.statement
    assert int(minutes) * 60 + int(seconds or 0) == pytest.approx(room_s, rel=0.15)
    assert "plateau_s" in doubt.remedy


@pytest.mark.parametrize("ratio_per_s", [0.0, 0.0005, -0.01])
def test_memory_that_stays_or_falls_is_not_doubted(memory, ratio_per_s):
    assert not rising_doubts_of(rising(memory.record(), ratio_per_s, highest=True))


def test_what_rose_on_lower_levels_and_levelled_off_is_not_doubted(memory):
    assert not rising_doubts_of(rising(memory.record(), 0.01, highest=False))


def test_a_wall_that_is_far_away_is_not_doubted(memory):
    far = replace(memory, limits={**memory.limits, Resource.MEMORY: 1e13})
    near = replace(
        far,
        costs={**far.costs, Resource.DESCRIPTORS: memory.costs[Resource.MEMORY]},
        limits={**far.limits, Resource.DESCRIPTORS: 1e8},
    )

    assert not rising_doubts_of(rising(near.record(), 0.01, highest=True))


def test_a_step_that_was_not_used_is_not_doubted(memory):
    record = rising(memory.record(), 0.01, highest=True)
    most = max(step.step.connections for step in record.steps)
    steps = [
        replace(step, void="a worker left") if step.step.connections == most else step
        for step in record.steps
    ]

    assert not rising_doubts_of(replace(record, steps=tuple(steps)))


def test_the_order_of_samples_does_not_matter(memory):
    record = rising(memory.record(), 0.01, highest=True)

    assert rising_doubts_of(record) == rising_doubts_of(
        replace(record, samples=tuple(reversed(record.samples)))
    )


@pytest.mark.parametrize(("share", "is_doubted"), [(0.8, False), (1.3, True)])
def test_a_steady_rise_is_doubted_from_its_least_share_on(memory, cost, share, is_doubted):
    still = {Resource.MEMORY: cost(baseline=BASELINE, connection=PER_CONNECTION, noise=0.0)}
    record = replace(memory, costs=still).record()
    per_s = share * RISING_RATIO / record.steps[-1].step.plateau_s

    assert is_doubted is bool(rising_doubts_of(rising(record, per_s, highest=True)))


def test_what_closed_connections_keep_for_a_while_is_doubted_with_its_own_remedy(lingering):
    resource, record = lingering
    (doubt,) = rising_doubts_of(rising(record, 0.02, highest=True, resource=resource, each=1.0))

    assert "still rose by" in doubt.statement
    assert "keep its upstream connections open" in doubt.remedy


def test_a_count_that_stays_is_not_doubted(lingering):
    assert not rising_doubts_of(lingering[1])


@pytest.mark.parametrize(("readings", "doubts"), [(2, 0), (3, 1)])
def test_three_readings_of_a_count_are_enough(lingering, readings, doubts):
    resource, record = lingering
    record = rising(record, 0.02, highest=True, resource=resource, each=1.0)
    left = set()
    for step in record.steps:
        within = [
            sample.at
            for sample in record.samples
            if step.plateau_started_at <= sample.at <= step.plateau_ended_at
        ]
        left |= set(within[1 : 1 + readings])
    samples = tuple(
        sample if sample.at in left else replace(sample, used={}) for sample in record.samples
    )

    assert len(rising_doubts_of(replace(record, samples=samples))) == doubts


@pytest.mark.parametrize(
    ("carried", "is_alike"),
    [((100, 190.0), True), ((100, 189.8), False), ((99, 200.0), False), ((101, 200.0), False)],
)
def test_plateaus_are_loaded_alike_up_to_a_twentieth_of_their_deliveries(carried, is_alike):
    assert _is_as_loaded(carried, (100, 200.0)) is is_alike


def test_what_is_told_of_a_rise_is_what_it_takes_of_the_connections_use(memory, cost):
    still = {Resource.MEMORY: cost(baseline=BASELINE, connection=PER_CONNECTION)}
    record = rising(replace(memory, costs=still).record(), 0.05, highest=True)
    [doubt] = rising_doubts_of(record)

    # 735 kB a second for 8 s, over 14.7 MB and what was on top after 7 s; 37.2 MB were left.
    assert "rose by 5.61 MiB in 8 s (30 % of what the connections use)" in doubt.statement
    assert "the limit is reached after 50.6 s" in doubt.statement


@pytest.mark.parametrize(
    ("scope", "own", "is_said"),
    [("cgroup", 0.0, True), ("cgroup", 0.45, True), ("cgroup", 0.55, False), ("host", 0.0, False)],
)
def test_what_others_in_the_cgroup_take_is_not_said_to_be_the_target_s(
    revisiting, scope, own, is_said
):
    still = revisiting.record()
    record = rising_with_time(still, 2000.0)
    before = {sample.seq: sample.used[Resource.MEMORY] for sample in still.samples}
    samples = tuple(
        replace(
            sample,
            gauges={
                **sample.gauges,
                "resident_bytes": 1e6 + own * (sample.used[Resource.MEMORY] - before[sample.seq]),
            },
        )
        for sample in record.samples
    )
    agent = record.manifest.agent
    limits = tuple(
        replace(limit, scope=scope) if limit.resource is Resource.MEMORY else limit
        for limit in agent.limits
    )
    manifest = replace(record.manifest, agent=replace(agent, limits=limits))
    excuse = plan(replace(record, samples=samples, manifest=manifest))

    assert isinstance(excuse, Excuse)
    assert is_said is ("other processes, files or kernel buffers in its cgroup" in str(excuse))
    assert is_said is ("cgroup.procs" in str(excuse))


def of_host(record, own):
    """Return *record* as if its memory were the host's, with so large a share of the rise the target's own."""

    def read(sample):
        used = {Resource.HOST_MEMORY: sample.used[Resource.MEMORY]}
        resident = 1e6 + own * (sample.used[Resource.MEMORY] - BASELINE)
        return replace(sample, used=used, gauges={**sample.gauges, "resident_bytes": resident})

    limits = tuple(
        replace(limit, resource=Resource.HOST_MEMORY, scope="host")
        for limit in record.manifest.agent.limits
        if limit.resource is Resource.MEMORY
    )
    manifest = replace(record.manifest, agent=replace(record.manifest.agent, limits=limits))
    return replace(record, samples=tuple(map(read, record.samples)), manifest=manifest)


@pytest.mark.parametrize(("own", "is_said"), [(0.45, True), (0.55, False)])
def test_what_neighbours_take_of_the_host_s_memory_is_not_said_to_be_the_target_s(
    memory, revisiting, own, is_said
):
    excuse = plan(of_host(rising_with_time(revisiting.record(), 2000.0), own))
    [doubt] = rising_doubts_of(of_host(rising(memory.record(), 0.05, highest=True), own))

    assert isinstance(excuse, Excuse)
    for statement, remedy in ((excuse.reason, excuse.remedy), (doubt.statement, doubt.remedy)):
        assert is_said is ("other processes, files or kernel buffers on its host" in statement)
        assert is_said is ("Find what grows on the target's host" in remedy)


def test_where_the_limit_is_passed_already_nothing_is_left_until_it_is_full(lingering):
    resource, record = lingering
    record = rising(record, 0.02, highest=True, resource=resource, each=1.0)
    windows = plateau_windows(record.steps, record.samples, 0.0)
    (wall,) = [wall for wall in plan(record).ladder if wall.resource is resource]
    passed = replace(wall, limit=replace(wall.limit, value=1.0))
    (doubt,) = rising_doubts(record, windows, passed)

    assert "the limit is reached after 0 s," in doubt.statement
