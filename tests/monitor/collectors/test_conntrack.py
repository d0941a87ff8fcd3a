"""The tracking table, tracked or not, seen or not."""

from pathlib import Path

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import conntrack
from capacity.monitor.collectors.conntrack import ConntrackCollector


@pytest.fixture
def target(made_up_proc, view):
    return view(7, proc=made_up_proc)


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


def test_the_table_of_another_namespace_is_looked_up_there(start_elsewhere, view):
    child = start_elsewhere()
    there = Path(f"/proc/{child.pid}/root/proc/sys/net/netfilter/nf_conntrack_count")
    if not there.exists():
        pytest.skip("nf_conntrack is not loaded")
    reading = ConntrackCollector().collect(view(child.pid))

    assert reading.used == {Resource.CONNTRACK: 0}


def test_a_namespace_that_may_not_be_entered_leaves_the_limit_unknown(target, monkeypatch):
    def refuse(_pid, _proc):
        raise PermissionError(1, "Operation not permitted", "/proc/7/ns/net")

    monkeypatch.setattr(conntrack, "inside_namespace", refuse)
    (limit,) = ConntrackCollector().limits(target)

    assert limit.state is LimitState.UNKNOWN
    assert "as root" in limit.reason


def test_a_limit_that_is_no_number_is_unknown(target, write_file):
    write_file("sys/net/netfilter/nf_conntrack_max", "many\n")
    (limit,) = ConntrackCollector().limits(target)

    assert limit.state is LimitState.UNKNOWN
