import math

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.safety.audited_bound import AuditedBound, audited_bound


def limit(resource, value, scope="process", state=LimitState.KNOWN):
    return Limit(resource=resource, state=state, value=value, scope=scope, source="planted")


def bound(connections, resource):
    return AuditedBound(connections=connections, resource=resource)


def test_a_descriptor_limit_of_64_with_4_in_use_leaves_60_connections():
    limits = [limit(Resource.DESCRIPTORS, 64.0)]

    assert audited_bound(limits, {Resource.DESCRIPTORS: 4.0}) == bound(60, Resource.DESCRIPTORS)


def test_the_smallest_room_counts_not_the_smallest_limit():
    limits = [limit(Resource.DESCRIPTORS, 1024.0), limit(Resource.CONNTRACK, 65536.0)]
    used = {Resource.DESCRIPTORS: 20.0, Resource.CONNTRACK: 65500.0}

    assert audited_bound(limits, used) == bound(36, Resource.CONNTRACK)


def test_use_beyond_the_limit_leaves_no_room_rather_than_less_than_none():
    limits = [limit(Resource.DESCRIPTORS, 64.0)]

    assert audited_bound(limits, {Resource.DESCRIPTORS: 70.5}) == bound(0, Resource.DESCRIPTORS)


@pytest.mark.parametrize("scope", ["declared", "application"])
def test_what_the_application_admits_counts_without_a_reading(scope):
    limits = [limit(Resource.APPLICATION_CONNECTIONS, 512.0, scope=scope)]

    assert audited_bound(limits, {}) == bound(512, Resource.APPLICATION_CONNECTIONS)


@pytest.mark.parametrize("used", [{}, {Resource.DESCRIPTORS: math.nan}])
def test_a_use_that_was_not_read_is_not_zero(used):
    limits = [limit(Resource.DESCRIPTORS, 64.0, scope="declared")]

    assert audited_bound(limits, used) is None


def test_memory_is_no_count_of_connections():
    limits = [limit(Resource.MEMORY, 1e9)]

    assert audited_bound(limits, {Resource.MEMORY: 1e6}) is None


def test_an_unknown_limit_sets_no_bound():
    limits = [limit(Resource.DESCRIPTORS, None, state=LimitState.UNKNOWN)]

    assert audited_bound(limits, {Resource.DESCRIPTORS: 4.0}) is None


def test_of_equal_rooms_the_one_cheapest_to_raise_is_named():
    limits = [limit(Resource.FILE_TABLE, 64.0), limit(Resource.DESCRIPTORS, 64.0)]
    used = {Resource.FILE_TABLE: 4.0, Resource.DESCRIPTORS: 4.0}

    assert audited_bound(limits, used) == bound(60, Resource.DESCRIPTORS)
