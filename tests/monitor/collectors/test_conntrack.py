"""The tracking table, tracked or not, seen or not."""

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.conntrack import ConntrackCollector


@pytest.fixture
def target(write_file, tmp_path, view):
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    ours = write_file("self/net/tcp", "")
    (tmp_path / "7/net").mkdir()
    (tmp_path / "7/net/tcp").hardlink_to(ours)
    return view(7, proc=str(tmp_path))


def test_entries_and_limit_come_from_the_kernel(target, write_file):
    write_file("sys/net/netfilter/nf_conntrack_count", "12\n")
    write_file("sys/net/netfilter/nf_conntrack_max", "262144\n")
    collector = ConntrackCollector()
    (limit,) = collector.limits(target)

    assert collector.collect(target).used == {Resource.CONNTRACK: 12}
    assert (limit.value, limit.scope) == (262144, "namespace")


def test_without_the_module_there_is_nothing_to_run_out_of(target):
    collector = ConntrackCollector()
    (limit,) = collector.limits(target)

    assert "not loaded" in collector.collect(target).missing[Resource.CONNTRACK]
    assert limit.state is LimitState.UNLIMITED
    assert "not loaded" in limit.source


def test_another_namespaces_table_is_not_taken_for_the_targets(target, tmp_path, write_file):
    write_file("sys/net/netfilter/nf_conntrack_count", "12\n")
    (tmp_path / "7/net/tcp").unlink()
    write_file("7/net/tcp", "")
    collector = ConntrackCollector()
    (limit,) = collector.limits(target)
    reading = collector.collect(target)

    assert not reading.used
    assert "another network namespace" in reading.missing[Resource.CONNTRACK]
    assert limit.state is LimitState.UNKNOWN


def test_a_limit_that_is_no_number_is_unknown(target, write_file):
    write_file("sys/net/netfilter/nf_conntrack_max", "many\n")
    (limit,) = ConntrackCollector().limits(target)

    assert limit.state is LimitState.UNKNOWN
