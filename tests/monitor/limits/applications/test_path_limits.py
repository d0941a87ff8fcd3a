"""A real HAProxy in front of a listener, and one that is the target with memcached behind it."""

import socket
from contextlib import ExitStack

import pytest

from capacity.domain.resources import LimitState
from capacity.monitor.host.port_holders import port_holders
from capacity.monitor.limits.applications.path_limits import with_path_limits

LISTEN = (
    "import socket\n"
    "server = socket.create_server(('127.0.0.1', 0), backlog=64)\n"
    "print(server.getsockname()[1], flush=True)"
)
RELAY = """
global
    maxconn 70
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend in
    bind 127.0.0.1:{port}
    default_backend out
backend out
    server one 127.0.0.1:{upstream}
"""


@pytest.fixture
def start_relay(start_server, free_port, tmp_path):
    def start(upstream):
        port, path = free_port(), tmp_path / "haproxy.cfg"
        path.write_text(RELAY.format(port=port, upstream=upstream))
        return start_server("haproxy", "-db", "-f", path, port=port), port

    return start


@pytest.fixture
def holders():
    """Return who holds *port* of a target while some connections to it are open."""

    def look(port, target):
        with ExitStack() as stack:
            for _ in range(5):
                opened = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                opened.sendall(b"version\r\n")
            return with_path_limits(port_holders(port, target), port)

    return look


def test_the_cap_of_a_relay_in_front_of_the_target_is_read(
    start_child, start_relay, holders, view, wait_until
):
    service = start_child(LISTEN)
    relay, port = start_relay(int(service.said[0]))
    wait_until(lambda: any(each.limits for each in holders(port, view(service.pid))))
    [holder] = holders(port, view(service.pid))
    [limit] = holder.limits

    assert (LimitState.KNOWN, 70.0, ()) == (limit.state, limit.value, limit.ports)
    assert "haproxy.cfg" in limit.source
    assert limit.source.endswith(f"of haproxy (pid {relay.process.pid}), in front of the target")


def test_the_cap_of_an_upstream_behind_the_target_is_read(
    start_server, free_port, start_relay, holders, view, wait_until
):
    upstream = free_port()
    command = ("memcached", "-u", "root", "-l", "127.0.0.1", "-p", upstream, "-c", "50")
    behind = start_server(*command, port=upstream)
    relay, port = start_relay(upstream)
    found = []

    def look():
        [holder] = holders(port, view(relay.process.pid))
        found[:] = holder.destinations
        return found

    wait_until(look)  # What the relay opened to its upstream may be a moment late.
    [destination] = found
    [limit] = destination.limits

    assert (LimitState.KNOWN, 26.0) == (limit.state, limit.value), "memcached keeps 24 for itself"
    assert limit.source.endswith(f"of memcached (pid {behind.process.pid}), behind the target")


def test_the_cap_of_what_a_relay_in_the_target_leads_to_is_read(
    start_child, start_relay, holders, view, wait_until
):
    behind, upstream = start_relay(int(start_child(LISTEN).said[0]))
    relay, port = start_relay(upstream)
    both = view(relay.process.pid, behind.process.pid)
    wait_until(lambda: holders(port, both)[0].destinations)
    [destination] = holders(port, both)[0].destinations
    [limit] = destination.limits

    assert (True, 70.0) == (destination.is_watched, limit.value)
    assert limit.source.endswith(f"of haproxy (pid {behind.process.pid}), in the target")


def test_nobody_else_who_listens_is_looked_into(start_child, start_relay, holders, view):
    service, bystander = start_child(LISTEN), start_child()
    _relay, port = start_relay(int(service.said[0]))
    [holder] = holders(port, view(bystander.pid))

    assert () == holder.limits
    assert all(not each.limits for each in holder.destinations)
