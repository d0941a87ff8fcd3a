"""The whole catalogue on this host: how much of it, how fast, and that the least of it binds."""

import os
from contextlib import closing

import pytest

from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.limits.audit import audit

LISTEN = """
import socket
server = socket.create_server(("127.0.0.1", 0), backlog=37)
print(server.getsockname()[1])
"""

BY_ITS_OWN_RULES = {
    Resource.MEMORY,  # The tightest cgroup is the one with least room, which is not the smallest.
    Resource.NETWORK_OUT,  # Only the links that clients are behind.
    Resource.OUTGOING_PORTS,  # Without those that somebody listens on.
    Resource.EVENT_LOOP,  # A law, and no setting.
    Resource.APPLICATION_CONNECTIONS,  # By ports, of servers that are known.
}

BROUGHT_BY_SAMPLES = {
    *(Resource.DESCRIPTORS, Resource.THREADS, Resource.TCP_MEMORY),
    *(Resource.ADDRESS_SPACE, Resource.HEAP),
}
"""First of what each collector provides."""


def smallest(entries, resource):
    values = [entry.value for entry in entries if entry.resource is resource]
    return min((value for value in values if value is not None), default=None)


def effective(target):
    with closing(TargetListeners()) as listeners:
        return effective_with(target_collectors(listeners), target)


def effective_with(collectors, target):
    limits = [limit for each in collectors for limit in each.limits(target)]
    limits += [limit for each in host_collectors() for limit in each.limits()]
    for each in collectors:
        if not BROUGHT_BY_SAMPLES.isdisjoint(each.provides[:1]):
            limits += each.collect(target).limits
    return {limit.resource: limit.value for limit in limits}


def test_at_least_thirty_limits_are_read_and_each_says_all_there_is_to_say(bystander, view):
    entries = audit(view(bystander.pid))

    assert len([entry for entry in entries if entry.state is not LimitState.UNKNOWN]) >= 30
    for entry in entries:
        assert entry.unit
        assert entry.source
        assert entry.scope in {"process", "cgroup", "user", "namespace", "host", "select"}
        assert (entry.value is None) == (entry.state is not LimitState.KNOWN)
        assert (entry.reason is None) == (entry.state is not LimitState.UNKNOWN)


def test_no_place_is_listed_twice(bystander, view):
    places = [(entry.name, entry.source) for entry in audit(view(bystander.pid))]

    assert len(places) == len(set(places))


def test_the_effective_limit_is_the_smallest_of_the_hierarchy(start_child, view, v1_cgroup):
    child = start_child(
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400));"
        "import os; os.sched_setaffinity(0, {0})"
    )
    pids, cpu = v1_cgroup("pids", child), v1_cgroup("cpu", child)
    (pids / "pids.max").write_text("55")
    (cpu / "cpu.cfs_quota_us").write_text("30000")
    target = view(child.pid)
    entries, limits = audit(target), effective(target)

    assert limits[Resource.DESCRIPTORS] == 300
    assert limits[Resource.THREADS] == 55
    assert limits[Resource.CPU] == 0.3
    for resource in set(Resource) - LATENCIES - BY_ITS_OWN_RULES - {Resource.UNIDENTIFIED}:
        assert limits[resource] == smallest(entries, resource), resource


def test_the_backlog_of_each_listener_is_there_with_the_one_that_the_kernel_adds(
    start_child, view, listeners
):
    child = start_child(LISTEN)
    target = view(child.pid)
    found = {entry.name: entry.value for entry in audit(target, listeners.read(target))}

    assert found[f"accept queue of port {child.said[0]}"] == 38


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_nobody_reads_all_of_it_but_what_takes_privilege_to_enter(start_elsewhere, view, as_nobody):
    child = start_elsewhere()
    entries = as_nobody(lambda: audit(view(child.pid)))
    unknown = {entry.name: entry for entry in entries if entry.state is LimitState.UNKNOWN}
    known = {entry.name for entry in entries} - set(unknown)

    assert {"RLIMIT_NOFILE", "fs.file-max", "pids.max", "memory.max", "MemTotal"} <= known
    assert "net.core.somaxconn" in unknown
    assert all("root" in entry.reason or "declare" in entry.reason for entry in unknown.values()), (
        unknown
    )
