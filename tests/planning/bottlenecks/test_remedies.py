from dataclasses import replace

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.bottlenecks.remedies import remedy


def limit(resource, scope):
    return Limit(
        resource=resource, state=LimitState.KNOWN, value=1.0, scope=scope, source="/planted/file"
    )


@pytest.mark.parametrize("resource", [r for r in Resource if r is not Resource.EVENT_LOOP])
@pytest.mark.parametrize("scope", ["process", "cgroup", "host", "declared"])
def test_every_wall_has_one_sentence_that_names_where_its_limit_was_read(resource, scope):
    sentence = remedy(limit(resource, scope))
    how = "declared as" if scope == "declared" else "read from"

    assert sentence.endswith(f"; current limit {how} /planted/file.")


def test_that_a_thread_has_one_core_was_read_from_nowhere():

    assert "read from" not in remedy(limit(Resource.EVENT_LOOP, "process"))


@pytest.mark.parametrize(
    ("resource", "scope", "setting"),
    [
        (Resource.DESCRIPTORS, "process", "LimitNOFILE="),
        (Resource.DESCRIPTORS, "select", "wait with epoll(7) or poll(2)"),
        (Resource.APPLICATION_CONNECTIONS, "declared", "worker_connections"),
        (Resource.APPLICATION_CONNECTIONS, "application", "the application's own configuration"),
        (Resource.CONNTRACK, "host", "net.netfilter.nf_conntrack_max"),
        (Resource.OUTGOING_PORTS, "namespace", "net.ipv4.ip_local_port_range"),
        (Resource.THREADS, "cgroup", "pids.max"),
        (Resource.THREADS, "host", "kernel.threads-max"),
        (Resource.MEMORY, "cgroup", "memory.max"),
        (Resource.CPU, "cgroup", "cpu.max"),
        (Resource.FILE_TABLE, "host", "fs.file-max"),
        (Resource.TCP_MEMORY, "host", "net.ipv4.tcp_mem"),
        (Resource.EVENT_LOOP, "process", "Run more processes or shards"),
    ],
)
def test_the_setting_fits_the_place_where_the_limit_was_read(resource, scope, setting):

    assert setting in remedy(limit(resource, scope))


def test_a_limit_in_a_configuration_is_lifted_where_it_stands():
    read = replace(
        limit(Resource.APPLICATION_CONNECTIONS, "application"),
        source="/etc/haproxy/haproxy.cfg:9: maxconn 50",
    )

    assert "(/etc/haproxy/haproxy.cfg:9: maxconn 50)" in remedy(read)
    assert "reload" in remedy(read)


def test_a_cap_that_follows_from_the_descriptors_is_lifted_with_them():
    read = replace(
        limit(Resource.APPLICATION_CONNECTIONS, "application"),
        source="/proc/7/limits: 1024 descriptors, of which it keeps a part for its files",
    )

    assert "LimitNOFILE=" in remedy(read)
    assert "start the application anew" in remedy(read)


def test_above_a_cap_on_memory_it_is_the_memory_that_has_to_be_kept():
    assert remedy(limit(Resource.HEAP, "application")).endswith("keep the memory limit above it.")
