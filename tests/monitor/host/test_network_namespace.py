"""A real second namespace, where one may be made."""

from pathlib import Path

import pytest

from capacity.monitor.host.network_namespace import is_own_namespace, open_socket_table
from capacity.monitor.host.sock_diag import SocketTable

LISTEN = """
import socket
server = socket.create_server(("", 0))
print(server.getsockname()[1])
"""


@pytest.fixture
def elsewhere(start_elsewhere):
    """A listening child in another network namespace."""
    return start_elsewhere(LISTEN)


def test_a_child_shares_the_namespace_it_was_started_in(start_child):
    assert is_own_namespace(start_child().pid)


def test_another_namespace_is_told_apart(elsewhere):
    assert not is_own_namespace(elsewhere.pid)


def test_sockets_are_seen_in_the_process_own_namespace(elsewhere):
    port = int(elsewhere.said[0])
    ours, theirs = SocketTable(), open_socket_table(elsewhere.pid)
    try:
        assert [entry.port for entry in theirs.listeners()] == [port]
        assert port not in {entry.port for entry in ours.listeners()}
    finally:
        ours.close()
        theirs.close()


def test_visiting_leaves_the_agent_where_it_is(elsewhere):
    before = Path("/proc/thread-self/ns/net").readlink()
    open_socket_table(elsewhere.pid).close()

    assert Path("/proc/thread-self/ns/net").readlink() == before


def test_a_process_that_is_gone_is_reported():
    with pytest.raises(FileNotFoundError):
        open_socket_table(2**22 + 1)
