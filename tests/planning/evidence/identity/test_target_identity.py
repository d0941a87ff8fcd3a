"""Records of targets that gain what was opened, less than that, or what nobody can judge."""

from dataclasses import replace

import pytest

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Resource
from capacity.planning.evidence.identity.count_gains import LEAST_GAIN_RATIO
from capacity.planning.evidence.identity.target_identity import (
    mismatch,
    mismatch_so_far,
    not_listening,
    watched,
)
from capacity.planning.plan import plan

DESCRIPTORS = Resource.DESCRIPTORS


def test_a_process_that_gains_what_was_opened_is_the_target(gaining):
    record = gaining(descriptors=1.0, application_connections=1.0)

    assert mismatch(record) is None
    assert isinstance(plan(record), CapacityPlan)


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


def test_without_an_agent_nothing_is_said(gaining):
    record = gaining(descriptors=0.0)
    record = replace(record, manifest=replace(record.manifest, agent=None))

    assert mismatch(record) is None


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


def test_it_shows_after_the_first_level(gaining):
    for each, is_other in ((0.0, True), (1.0, False)):
        record = gaining(20, descriptors=each, agent={"listening_ports": (25080,)})
        gap = mismatch_so_far(record.steps, record.samples, record.manifest.agent, port=25100)

        assert is_other is (gap is not None)
    assert mismatch_so_far(record.steps[:1], record.samples, record.manifest.agent) is None
    assert mismatch_so_far((), (), None) is None


def test_names_from_elsewhere_are_shown_in_one_short_line(gaining):
    name = {"target_name": "x\x1b[2J" + "y" * 5000, "target_pids": tuple(range(1, 500))}
    gap = mismatch(gaining(20_000, descriptors=0.0, agent=name))

    assert gap.reason.isprintable()
    assert "pid 1, 2, 3, 4 and 495 more" in gap.reason
    assert len(gap.reason) < 400


@pytest.mark.parametrize(
    ("port", "listening", "said"),
    [(80, (80, 81), ""), (80, (81,), ", and does not listen on port 80"), (None, (81,), ""), (80, None, "")],
)  # fmt: skip
def test_a_port_on_which_nobody_listens_is_named(gaining, port, listening, said):
    agent = replace(gaining().manifest.agent, listening_ports=listening)

    assert said == not_listening(agent, port)


def test_four_processes_are_shown_and_names_of_sixty_letters(gaining):
    agent = replace(gaining().manifest.agent, target_name="n" * 99, host="h" * 99)

    assert watched(replace(agent, target_pids=(1, 2, 3, 4))) == (
        "n" * 59 + "… (pid 1, 2, 3, 4) on " + "h" * 59 + "…"
    )
    assert "(pid 1, 2, 3, 4 and 1 more)" in watched(replace(agent, target_pids=tuple(range(1, 6))))
    assert "pid" not in watched(replace(agent, target_pids=()))
