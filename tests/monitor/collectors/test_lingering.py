"""Sockets that were really left in time-wait and as orphans."""

import socket

from capacity.monitor.collectors.lingering import LingeringCollector

CLOSE_FIRST = """
import socket
server = socket.create_server(("127.0.0.1", 0), backlog=200)
print(server.getsockname()[1])
def close_first(n):
    for _ in range(n):
        client = socket.create_connection(server.getsockname())
        accepted = server.accept()[0]
        accepted.close()
        client.close()
"""


def test_whoever_closes_first_waits(start_elsewhere, run_there, view):
    child = start_elsewhere(CLOSE_FIRST)
    run_there(child.pid, "ip link set lo up")
    collector = LingeringCollector()
    before = collector.collect(view(child.pid)).gauges["sockets_time_wait"]
    child.do("close_first(40)")
    after = collector.collect(view(child.pid)).gauges["sockets_time_wait"]

    assert (before, after) == (0, 40)


def test_a_close_that_the_peer_cannot_acknowledge_leaves_an_orphan(bystander, view):
    collector = LingeringCollector()
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = collector.collect(view(bystander.pid)).gauges["sockets_orphaned"]
        pairs = []
        for _ in range(10):
            client = socket.create_connection(server.getsockname())
            accepted, _ = server.accept()
            client.setblocking(False)
            try:
                while client.send(bytes(65536)):
                    pass
            except BlockingIOError:
                pass
            client.close()  # Its bytes are still to be read.
            pairs.append(accepted)
        after = collector.collect(view(bystander.pid)).gauges["sockets_orphaned"]
        for accepted in pairs:
            accepted.close()

    assert after - before >= 10
