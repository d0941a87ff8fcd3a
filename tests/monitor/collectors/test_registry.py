"""All collectors together: every name once, and no surprise that is not told as a reason."""

import os
import random
import re
import time
from pathlib import Path

import pytest

from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Resource
from capacity.monitor.collectors.agent_cpu import AgentCpuCollector
from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.limits.audit import audit
from capacity.monitor.readings import READ_ERRORS, Reading

COPIED = (
    *("{pid}/stat", "{pid}/status", "{pid}/limits", "{pid}/cgroup", "{pid}/maps"),
    *("{pid}/cmdline", "{pid}/environ"),
    *("{pid}/schedstat", "{pid}/task/{pid}/stat", "{pid}/task/{pid}/schedstat"),
    *("{pid}/task/{pid}/status", "{pid}/net/sockstat", "{pid}/net/snmp", "{pid}/net/netstat"),
    *("{pid}/net/dev", "{pid}/net/route", "{pid}/net/ipv6_route", "self/mountinfo"),
    *("stat", "meminfo", "net/sockstat", "net/softnet_stat", "slabinfo", "sys/fs/file-nr"),
    *("pressure/cpu", "pressure/memory", "pressure/io", "sys/kernel/threads-max"),
    *("sys/kernel/pid_max", "sys/vm/max_map_count", "sys/vm/overcommit_memory"),
    *("sys/fs/epoll/max_user_watches", "sys/net/ipv4/tcp_mem", "sys/net/ipv4/tcp_max_orphans"),
    *("sys/net/ipv4/tcp_max_tw_buckets", "sys/net/ipv4/ip_local_port_range"),
    *("sys/net/ipv4/ip_local_reserved_ports", "sys/net/core/somaxconn"),
)


def all_collectors(listeners=None, proc="/proc"):
    hosts = [
        each if isinstance(each, AgentCpuCollector) else type(each)(proc)
        for each in host_collectors()
    ]
    return [*target_collectors(listeners or TargetListeners()), *hosts]


def read(collector, target):
    """Return limits and reading, None where there was nothing but an expected reason."""
    is_host = isinstance(collector, HostCollector)
    limits = list(collector.limits() if is_host else collector.limits(target))
    try:
        reading = collector.collect() if is_host else collector.collect(target)
    except READ_ERRORS:
        return limits, None
    assert isinstance(reading, Reading)
    return limits, reading


def test_every_name_has_one_collector():
    names = [name for each in all_collectors() for name in each.provides]

    assert len(names) == len(set(names))
    assert set(Resource) - LATENCIES - {Resource.UNIDENTIFIED} <= set(names)
    assert [] == [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]


def test_every_collector_has_a_file_of_its_own():
    modules = [type(each).__module__ for each in all_collectors()]

    assert len(modules) == len(set(modules))


def test_what_a_collector_says_it_provides_is_what_it_brings(start_child, view, listeners):
    child = start_child("import socket; s = socket.create_server(('127.0.0.1', 0))")
    for collector in all_collectors(listeners):
        read(collector, view(child.pid))
        time.sleep(0.002)
        _, reading = read(collector, view(child.pid))

        assert reading is not None, collector
        brought = {*reading.used, *reading.gauges, *reading.counters, *reading.missing}
        assert brought <= set(collector.provides), collector


def test_a_target_that_vanished_has_no_use_of_its_own(start_child, view, listeners):
    child = start_child()
    gone = view(child.pid)
    child.end()
    host_wide = {
        *(Resource.TCP_MEMORY, Resource.CONNTRACK, Resource.OUTGOING_PORTS),
        Resource.APPLICATION_CONNECTIONS,
    }
    for collector in target_collectors(listeners):
        _, reading = read(collector, gone)

        assert reading is None or set(reading.used) <= host_wide | {
            # Known from the look before, in which it was still there.
            *(Resource.THREADS, Resource.MEMORY, Resource.USER_PROCESSES, Resource.CPU)
        }, collector


@pytest.fixture(scope="module")
def copy(bystander, tmp_path_factory):
    """A copy of /proc as it is for one child, whose files can be spoilt."""
    root = tmp_path_factory.mktemp("proc")
    texts = {}
    for name in COPIED:
        real = Path("/proc", name.format(pid=bystander.pid))
        if real.exists() and os.access(real, os.R_OK):
            path = root / name.format(pid=bystander.pid)
            path.parent.mkdir(parents=True, exist_ok=True)
            texts[path] = real.read_bytes()
            path.write_bytes(texts[path])
    (root / "self/net").mkdir(parents=True)
    (root / "self/net/tcp").touch()
    (root / f"{bystander.pid}/net/tcp").hardlink_to(root / "self/net/tcp")
    return root, bystander.pid, texts


def test_the_copy_is_read_like_the_real_one(copy, view, listeners):
    root, pid, _ = copy
    used = set()
    for collector in all_collectors(listeners, str(root)):
        read(collector, view(pid, proc=str(root)))
        _, reading = read(collector, view(pid, proc=str(root)))
        used |= set(reading.used if reading else ())

    assert {Resource.CPU, Resource.THREADS, Resource.TCP_MEMORY, Resource.HOST_MEMORY} <= used


def spoilt(text):
    """Return *text* as a reader may find it: cut short anywhere, with junk behind, or gone."""
    choose = random.Random(text)
    ends = {
        0,
        len(text) // 2,
        max(0, len(text) - 1),
        *(choose.randrange(len(text) + 1) for _ in "12345"),
    }
    junk = [b"", b"\n", b" ", b"-1\n", b"\xff", b"x: y\n"]
    return [None, *(text[:end] + choose.choice(junk) for end in sorted(ends))]


@pytest.mark.parametrize("name", COPIED)
def test_a_file_cut_short_changed_or_gone_is_a_reason_and_no_crash(copy, view, name, listeners):
    root, pid, texts = copy
    path, target = root / name.format(pid=pid), view(pid, proc=str(root))
    if path not in texts:
        pytest.skip("may not be read here")
    for content in spoilt(texts[path]):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        try:
            for collector in all_collectors(listeners, str(root)):
                read(collector, target)
                read(collector, target)
            assert all(entry.unit for entry in audit(target))
        except READ_ERRORS:
            assert path.name == "dev", "only the list of links ends the audit"
        finally:
            path.write_bytes(texts[path])
