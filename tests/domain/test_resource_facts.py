"""Every resource has its row, and the rows say what the sets read off them promise."""

import pytest

from capacity.domain.resource_facts import (
    COUNTED,
    ENVELOPED,
    FLOWS,
    HOST_WIDE,
    LATENCIES,
    ONE_EACH,
    PROCESS_BYTES,
    RESOURCE_FACTS,
    TIE_ORDER,
    UNITS,
    Use,
)
from capacity.domain.resources import Resource

UNITS_OF = {
    Use.HELD_BYTES: {"bytes"},
    Use.QUEUED_BYTES: {"bytes"},
    Use.FLOW: {"cores", "bytes_per_s"},
    Use.OBJECTIVE: {"seconds"},
}


def test_every_resource_has_a_row():
    assert set(RESOURCE_FACTS) == set(Resource)


def test_no_two_resources_share_a_label():
    assert len({facts.label for facts in RESOURCE_FACTS.values()}) == len(RESOURCE_FACTS)


@pytest.mark.parametrize("resource", Resource)
def test_a_unit_fits_how_the_resource_is_used_up(resource):
    facts = RESOURCE_FACTS[resource]
    others = {"bytes", "bytes_per_s", "cores", "seconds"}

    if facts.use is Use.COUNTED:
        assert facts.unit not in others
    else:
        assert facts.unit in UNITS_OF[facts.use]


@pytest.mark.parametrize("resource", Resource)
def test_a_remedy_is_a_clause_that_a_sentence_can_go_on_from(resource):
    facts = RESOURCE_FACTS[resource]

    for remedy in filter(None, (facts.remedy, facts.cgroup_remedy)):
        assert remedy[0].isupper()
        assert not remedy.endswith(".")


def test_each_resource_is_used_up_in_one_way():
    assert sorted([*COUNTED, *FLOWS, *LATENCIES, *ENVELOPED]) == sorted(Resource)


def test_what_a_connection_takes_one_of_is_counted():
    assert set(ONE_EACH) <= COUNTED
    assert Resource.THREADS not in ONE_EACH


def test_memory_with_a_cap_of_its_own_has_peaks():
    assert PROCESS_BYTES < ENVELOPED
    assert PROCESS_BYTES == {Resource.ADDRESS_SPACE, Resource.DATA_SEGMENT, Resource.HEAP}


def test_a_generator_on_the_host_has_no_part_in_what_is_the_targets_own():
    assert not {Resource.CPU, Resource.MEMORY, Resource.CONNTRACK} & set(HOST_WIDE)
    assert Resource.HOST_MEMORY in HOST_WIDE


def test_configuration_is_named_before_hardware_where_ceilings_are_equal():
    ranks = {resource: rank for rank, resource in enumerate(TIE_ORDER)}

    assert ranks[Resource.APPLICATION_CONNECTIONS] == 0
    assert ranks[Resource.DESCRIPTORS] < ranks[Resource.EVENT_LOOP] < ranks[Resource.MEMORY]
    assert ranks[Resource.MEMORY] < ranks[Resource.CPU]


def test_units_are_those_of_the_rows():
    assert UNITS[Resource.DESCRIPTORS] == "descriptors"
    assert UNITS[Resource.NETWORK_OUT] == "bytes_per_s"
