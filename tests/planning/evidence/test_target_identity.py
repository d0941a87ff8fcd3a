"""Records of targets that gain what was opened, less than that, or what nobody can judge."""

from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec
from capacity.planning.evidence.target_identity import (
    LEAST_GAIN_RATIO,
    identity_doubts,
    mismatch,
    mismatch_so_far,
    rise,
)
from capacity.planning.plan import plan

DESCRIPTORS, CONNECTIONS = Resource.DESCRIPTORS, Resource.APPLICATION_CONNECTIONS


@pytest.fixture
def gaining(planted, cost, ramp):
    """Return a record of a process that gains so much of each resource for a connection."""

    def record(*levels, base=15, agent=None, gauges=None, **per_connection):
        costs = {
            Resource(name): cost(baseline=base, connection=each)
            for name, each in per_connection.items()
        }
        costs[Resource.MEMORY] = cost(baseline=60e6, connection=60e3)
        steps = ramp(*(levels or (100, 200, 400)))
        made = planted(costs=costs, limits={Resource.MEMORY: 256e6}, steps=steps).record()
        samples = tuple(replace(sample, gauges=gauges or {}) for sample in made.samples)
        manifest = replace(
            made.manifest,
            target=TargetSpec(port=25100),
            agent=replace(made.manifest.agent, **(agent or {})),
        )
        return replace(made, manifest=manifest, samples=samples)

    return record


def kinds(record):
    return [doubt.kind for doubt in identity_doubts(record)]


def test_a_process_that_gains_what_was_opened_is_the_target(gaining):
    record = gaining(descriptors=1.0, application_connections=1.0)

    assert mismatch(record) is None
    assert isinstance(plan(record), CapacityPlan)
    assert [] == kinds(record)


def test_a_process_that_gains_nothing_is_another_one_and_there_is_no_plan(gaining):
    record = gaining(
        agent={"target_name": "other", "target_pids": (7, 8), "listening_ports": (25080,)},
        descriptors=0.0,
        application_connections=0.0,
    )
    answer = plan(record)

    assert isinstance(answer, Excuse)
    assert (
        "The agent does not watch the target: other (pid 7, 8) on planted gained 0 connections and"
        " 0 descriptors while 400 connections were opened, and does not listen on port 25100."
    ) == answer.reason
    assert "--port 25100, or --pid" in answer.remedy


@pytest.mark.parametrize("resource", ["descriptors", "application_connections"])
@pytest.mark.parametrize(("above", "is_other"), [(-0.02, True), (0.02, False)])
def test_the_bound_is_half_of_what_was_opened(gaining, resource, above, is_other):
    record = gaining(**{resource: LEAST_GAIN_RATIO + above})

    assert is_other is (mismatch(record) is not None)


def test_one_kind_of_count_that_rises_is_enough(gaining):
    # Accepted by one process and handed over to another: only the descriptors go along.
    assert mismatch(gaining(application_connections=0.0, descriptors=1.0)) is None
    # A process or thread for each connection, whose descriptors are not the first one's.
    assert mismatch(gaining(descriptors=0.0, threads=1.0)) is None


def test_of_several_processes_the_fullest_gains_its_share(gaining):
    workers = {"target_pids": (1, 2, 3, 4)}

    assert mismatch(gaining(descriptors=0.25, agent=workers)) is None
    assert mismatch(gaining(descriptors=0.25)) is not None
    # The agent saw one process when it began, and four fill up.
    assert mismatch(gaining(descriptors=0.25, gauges={"filling_processes": 4.0})) is None
    assert mismatch(gaining(descriptors=0.0, agent=workers)) is not None


def test_few_connections_on_many_processes_are_not_judged(gaining):
    workers = {"target_pids": tuple(range(1, 17))}

    assert mismatch(gaining(20, 60, descriptors=0.0, agent=workers)) is None
    assert mismatch(gaining(20, 60, 320, descriptors=0.0, agent=workers)) is not None


def test_without_readings_of_either_count_nothing_is_said(gaining):
    record = gaining()

    assert mismatch(record) is None
    assert [] == kinds(record)


def test_without_an_agent_nothing_is_said(gaining):
    record = gaining(descriptors=0.0)
    record = replace(record, manifest=replace(record.manifest, agent=None))

    assert mismatch(record) is None
    assert [] == kinds(record)


def test_connections_that_a_busy_process_would_not_notice_are_not_judged(gaining):
    busy = gaining(base=10_000, descriptors=-0.5)
    busier_than_before = gaining(base=7_000, descriptors=0.0)

    assert mismatch(busy) is None
    # 400 connections are more than a twentieth of them.
    assert mismatch(busier_than_before) is not None


def test_counts_that_come_and_go_by_themselves_are_not_judged(gaining):
    record = gaining(100, 200, base=300, descriptors=0.0)
    restless = tuple(
        replace(sample, used={**sample.used, DESCRIPTORS: 300.0 + 110 * (sample.seq % 2)})
        for sample in record.samples
    )

    assert mismatch(replace(record, samples=restless)) is None


def test_what_a_restart_took_away_is_not_missed(planted, cost, ramp):
    costs = {DESCRIPTORS: cost(baseline=500), Resource.MEMORY: cost(baseline=1e6, connection=1e3)}
    venue = planted(costs=costs, limits={}, steps=ramp(100, 200), restarts_at=(1,))

    assert mismatch(venue.record()) is None


def test_a_search_has_no_unloaded_step_and_is_judged_from_before_it(gaining):
    record = gaining(100, 200, descriptors=0.0)
    loaded = tuple(replace(step, index=step.index - 1) for step in record.steps[1:])
    search = replace(record, steps=loaded)

    assert mismatch(search) is not None
    begun = loaded[0].started_at
    late = tuple(sample for sample in search.samples if sample.at > begun)
    # Nothing was read before the load: the lowest level stands for it.
    assert "100 connections were opened" in mismatch(replace(search, samples=late)).reason


def test_it_shows_after_the_first_level(gaining):
    for each, is_other in ((0.0, True), (1.0, False)):
        record = gaining(20, descriptors=each, agent={"listening_ports": (25080,)})
        gap = mismatch_so_far(record.steps, record.samples, record.manifest.agent, port=25100)

        assert is_other is (gap is not None)
    assert mismatch_so_far(record.steps[:1], record.samples, record.manifest.agent) is None
    assert mismatch_so_far((), (), None) is None


def test_behind_a_known_relay_fewer_connections_are_a_doubt(gaining):
    relay = {"relay": "nginx (pid 80), which listens on port 25100"}
    shared = gaining(descriptors=0.1, application_connections=0.1, agent=relay)

    assert isinstance(plan(shared), CapacityPlan)
    assert [DoubtKind.OTHER_PROCESS] == kinds(shared)
    assert "40 connections and 40 descriptors while 400" in next(identity_doubts(shared)).statement


def test_a_relay_that_passes_each_connection_on_may_give_out_first(gaining):
    relayed = gaining(
        descriptors=1.0, agent={"relay": "nginx (pid 80), which listens on port 25100"}
    )

    assert [DoubtKind.OTHER_PROCESS] == kinds(relayed)
    assert (
        "through nginx (pid 80), which listens on port 25100, whose limits are not seen"
        in next(identity_doubts(relayed)).statement
    )
    assert [] == kinds(gaining(descriptors=1.0))


def test_a_process_that_connects_elsewhere_for_each_client_is_a_relay(gaining):
    relaying = gaining(descriptors=2.0, outgoing_ports=1.0)

    assert mismatch(relaying) is None
    assert [DoubtKind.OTHER_PROCESS] == kinds(relaying)
    said = next(identity_doubts(relaying)).statement
    assert "opened 400 connections to one address and port elsewhere while 400" in said
    # A pool of connections to a data base grows more slowly.
    assert [] == kinds(gaining(descriptors=1.1, outgoing_ports=0.1))


def test_a_relay_that_the_trial_found_is_doubted_once(gaining):
    known = {"passes_on_to": "10.0.0.2 port 8080 (service (pid 9))"}
    relaying = gaining(descriptors=2.0, outgoing_ports=1.0, agent=known)

    assert [DoubtKind.OTHER_PROCESS] == kinds(relaying)
    assert "relays what it accepts to 10.0.0.2 port 8080 (service (pid 9))" in (
        next(identity_doubts(relaying)).statement
    )


def test_metrics_of_an_unknown_number_of_processes_are_doubted_where_nothing_rises(gaining):
    exporter = {"target_pids": ()}
    flat = gaining(descriptors=0.0, agent=exporter)

    assert mismatch(flat) is None
    assert [DoubtKind.OTHER_PROCESS] == kinds(flat)
    assert [] == kinds(gaining(descriptors=0.25, agent=exporter))


def test_names_from_elsewhere_are_shown_in_one_short_line(gaining):
    name = {"target_name": "x\x1b[2J" + "y" * 5000, "target_pids": tuple(range(1, 500))}
    gap = mismatch(gaining(20_000, descriptors=0.0, agent=name))

    assert gap.reason.isprintable()
    assert "pid 1, 2, 3, 4 and 495 more" in gap.reason
    assert len(gap.reason) < 400


@pytest.mark.parametrize(
    ("opened", "unknown"),
    [(4, "so few connections"), (5, None)],
)
def test_a_handful_of_connections_is_the_least_to_judge_by(gaining, opened, unknown):
    sample = gaining(descriptors=0.0).samples[0]
    found = rise([sample], [sample], opened=opened, processes=1)

    assert (found.is_seen is False) is (unknown is None)
    assert (found.unknown or "").startswith(unknown or "")
