"""Pages become bytes on both sides, and a cgroup that gives less than the host is the limit."""

import socket
from pathlib import Path

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.tcp_memory import NOT_IN_THIS_NAMESPACE, TcpMemoryCollector
from capacity.monitor.host.procfs import PAGE_BYTES


@pytest.fixture
def host(write_file, tmp_path, view):
    """A made-up host whose target is in no cgroup."""
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/cgroup", "")
    write_file("net/sockstat", "sockets: used 1\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 63\n")
    write_file("sys/net/ipv4/tcp_mem", "100\t200\t300\n")
    return view(7, proc=str(tmp_path))


def test_use_and_limit_are_bytes(host):
    collector = TcpMemoryCollector()
    (limit,) = collector.limits(host)

    assert collector.collect(host).used == {Resource.TCP_MEMORY: 63 * PAGE_BYTES}
    assert (limit.value, limit.scope) == (300 * PAGE_BYTES, "host")


def fill(client):
    try:
        return client.send(bytes(65536))
    except BlockingIOError:
        return 0


@pytest.fixture
def unread():
    """Twenty connections full of bytes that nobody reads."""
    opened = []

    def fill_all():
        with socket.create_server(("127.0.0.1", 0)) as server:
            for _ in range(20):
                client = socket.create_connection(server.getsockname())
                accepted, _ = server.accept()
                client.setblocking(False)
                opened.extend([client, accepted])
                while fill(client):
                    pass

    yield fill_all
    for each in opened:
        each.close()


def test_bytes_that_nobody_reads_are_seen_on_the_real_host(bystander, view, unread):
    collector, target = TcpMemoryCollector(), view(bystander.pid)
    before = collector.collect(target).used[Resource.TCP_MEMORY]
    unread()
    after = collector.collect(target).used[Resource.TCP_MEMORY]

    assert after - before > 20 * 65536


FILL = """
import socket
server = socket.create_server(("127.0.0.1", 0))
held = []
def fill(n):
    for _ in range(n):
        client = socket.create_connection(server.getsockname())
        held.extend([client, server.accept()[0]])
        client.setblocking(False)
        try:
            while client.send(bytes(65536)): pass
        except BlockingIOError: pass
"""


def test_a_version_1_cgroup_that_gives_less_is_the_limit_and_counts_its_own(
    start_child, view, v1_cgroup, unread
):
    child = start_child(FILL)
    group = v1_cgroup("memory", child)
    limit_bytes = 64 << 20
    file = group / "memory.kmem.tcp.limit_in_bytes"
    if not file.exists():
        pytest.skip("this kernel does not limit TCP memory by cgroup")
    file.write_text(str(limit_bytes))
    unread()  # Somebody else's.
    collector = TcpMemoryCollector()
    limits = list(collector.limits(view(child.pid)))
    before = collector.collect(view(child.pid))
    child.do("fill(5)")
    after = collector.collect(view(child.pid))
    counted = int((group / "memory.kmem.tcp.usage_in_bytes").read_text())
    (limit,) = after.limits

    assert limits == []
    assert (limit.value, limit.scope, Path(limit.source)) == (limit_bytes, "cgroup", file)
    assert before.used[Resource.TCP_MEMORY] == 0
    assert after.used[Resource.TCP_MEMORY] == counted > 5 * 65536


@pytest.fixture
def limited(host, write_file, tmp_path):
    """Plant version 1 cgroups, /a/b the target's: what each may have and has, in bytes."""
    write_file("7/cgroup", "3:memory:/a/b\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup cgroup rw,memory\n")

    def plant(**groups):
        (tmp_path / "mnt/a/b").mkdir(parents=True)
        for group, (limit_bytes, used_bytes) in groups.items():
            for name, number in (("limit", limit_bytes), ("usage", used_bytes)):
                path = f"mnt/{group.replace('_', '/')}/memory.kmem.tcp.{name}_in_bytes"
                write_file(path, f"{number}\n")
        collector = TcpMemoryCollector()
        return list(collector.limits(host)), collector.collect(host)

    return plant


def test_of_two_limited_cgroups_the_one_with_less_room_is_told_with_its_use(limited, tmp_path):
    limits, reading = limited(a=(500_000, 250_000), a_b=(400_000, 100_000))
    [limit] = reading.limits

    assert [] == limits
    assert (500_000, f"{tmp_path}/mnt/a/memory.kmem.tcp.limit_in_bytes") == (
        limit.value,
        limit.source,
    )
    assert {Resource.TCP_MEMORY: 250_000.0} == reading.used
    assert TcpMemoryCollector.tells_limits_with_usage


@pytest.mark.parametrize(("less_bytes", "scope"), [(0, "host"), (1, "cgroup")])
def test_a_cgroup_that_allows_as_much_as_the_host_limits_nothing(limited, less_bytes, scope):
    limits, reading = limited(a_b=(300 * PAGE_BYTES - less_bytes, 1))
    [limit] = [*limits, *reading.limits]

    assert (scope, 300 * PAGE_BYTES - less_bytes) == (limit.scope, limit.value)


@pytest.mark.parametrize("text", [None, "1 2\n", "a b c\n"])
def test_an_unreadable_limit_is_unknown(host, write_file, tmp_path, text):
    (tmp_path / "sys/net/ipv4/tcp_mem").unlink()
    if text:
        write_file("sys/net/ipv4/tcp_mem", text)
    (limit,) = TcpMemoryCollector().limits(host)

    assert limit.state is LimitState.UNKNOWN


def test_a_limit_that_a_namespace_does_not_show_says_where_to_run_the_agent(host, tmp_path):
    (tmp_path / "sys/net/ipv4/tcp_mem").unlink()
    (limit,) = TcpMemoryCollector().limits(host)

    assert limit.reason == NOT_IN_THIS_NAMESPACE


def test_a_line_without_memory_is_no_zero(host, write_file):
    write_file("net/sockstat", "TCP: inuse 1\n")
    with pytest.raises(ValueError, match="no entry mem"):
        TcpMemoryCollector().collect(host)
