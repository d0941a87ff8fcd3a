"""Pages become bytes on both sides."""

import socket

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.tcp_memory import TcpMemoryCollector
from capacity.monitor.procfs import PAGE_BYTES


def test_use_and_limit_are_bytes(write_file, tmp_path):
    write_file("net/sockstat", "sockets: used 1\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 63\n")
    write_file("sys/net/ipv4/tcp_mem", "100\t200\t300\n")
    collector = TcpMemoryCollector(str(tmp_path))
    (limit,) = collector.limits()

    assert collector.collect().used == {Resource.TCP_MEMORY: 63 * PAGE_BYTES}
    assert limit.value == 300 * PAGE_BYTES


def test_bytes_that_nobody_reads_are_seen_on_the_real_host():
    collector = TcpMemoryCollector()
    before = collector.collect().used[Resource.TCP_MEMORY]
    with socket.create_server(("127.0.0.1", 0)) as server:
        pairs = []
        for _ in range(20):
            client = socket.create_connection(server.getsockname())
            accepted, _ = server.accept()
            client.setblocking(False)
            while fill(client):
                pass
            pairs += [client, accepted]
        after = collector.collect().used[Resource.TCP_MEMORY]
        for each in pairs:
            each.close()

    assert after - before > 20 * 65536


def fill(client):
    try:
        return client.send(bytes(65536))
    except BlockingIOError:
        return 0


@pytest.mark.parametrize("text", [None, "1 2\n", "a b c\n"])
def test_an_unreadable_limit_is_unknown(write_file, tmp_path, text):
    if text:
        write_file("sys/net/ipv4/tcp_mem", text)
    (limit,) = TcpMemoryCollector(str(tmp_path)).limits()

    assert limit.state is LimitState.UNKNOWN


def test_a_line_without_memory_is_no_zero(write_file, tmp_path):
    write_file("net/sockstat", "TCP: inuse 1\n")
    with pytest.raises(ValueError, match="no entry mem"):
        TcpMemoryCollector(str(tmp_path)).collect()
