"""Records of relays, of targets behind one, and of metrics that may be of a part only."""

from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import APPLICATION, Limit, LimitState, Resource
from capacity.planning.caveats.other_process import identity_doubts
from capacity.planning.evidence.identity.target_identity import mismatch
from capacity.planning.plan import plan


def kinds(record):
    return [doubt.kind for doubt in identity_doubts(record)]


def test_a_target_that_gains_what_was_opened_is_not_doubted(gaining):
    assert [] == kinds(gaining(descriptors=1.0, application_connections=1.0))


def test_without_readings_or_an_agent_nothing_is_said(gaining):
    record = gaining(descriptors=0.0)

    assert [] == kinds(gaining())
    assert [] == kinds(replace(record, manifest=replace(record.manifest, agent=None)))


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


@pytest.mark.parametrize(("opened", "is_doubted"), [(5, True), (4, False)])
def test_five_connections_tell_whether_metrics_cover_the_whole(gaining, opened, is_doubted):
    flat = gaining(*(opened - n for n in (2, 1, 0)), descriptors=0.0, agent={"target_pids": ()})

    assert is_doubted is bool(kinds(flat))


def test_metrics_of_an_unknown_number_of_processes_are_doubted_where_nothing_rises(gaining):
    exporter = {"target_pids": ()}
    flat = gaining(descriptors=0.0, agent=exporter)

    assert mismatch(flat) is None
    assert [DoubtKind.OTHER_PROCESS] == kinds(flat)
    assert [] == kinds(gaining(descriptors=0.25, agent=exporter))


@pytest.mark.parametrize("caps", [(), (300.0,)])
def test_a_cap_read_of_a_relay_on_the_way_binds_and_is_the_only_limit_seen(gaining, caps):
    limits = tuple(
        Limit(
            resource=Resource.APPLICATION_CONNECTIONS,
            state=LimitState.KNOWN,
            value=value,
            scope=APPLICATION,
            source="maxconn",
        )
        for value in caps
    )
    record = gaining(
        agent={"relay": "haproxy (pid 9)", "path_limits": limits},
        descriptors=1.0,
        application_connections=1.0,
    )
    answer = plan(record)
    said = " ".join(doubt.statement for doubt in answer.doubts)

    assert (Resource.APPLICATION_CONNECTIONS is answer.binding) is bool(caps)
    assert ("whose limits are not seen" in said) is not bool(caps)
    assert ("of whose limits only that on connections was read" in said) is bool(caps)


@pytest.mark.parametrize(("each", "is_doubted"), [(0.09, True), (0.11, False)])
def test_metrics_of_unknown_processes_are_doubted_below_a_tenth(gaining, each, is_doubted):
    record = gaining(descriptors=each, agent={"target_pids": ()})

    assert is_doubted == bool(kinds(record))


@pytest.mark.parametrize(("each", "is_relay"), [(0.51, True), (0.49, False)])
def test_a_connection_elsewhere_for_half_of_the_clients_makes_a_relay(gaining, each, is_relay):
    record = gaining(descriptors=2.0, outgoing_ports=each)

    assert is_relay == bool(kinds(record))
