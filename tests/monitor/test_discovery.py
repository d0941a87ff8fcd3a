"""Real processes found by what they hold, what they are called and who started them."""

import os
import socket

import pytest

from capacity.domain.errors import UnreachableError
from capacity.monitor.discovery import Selector, find_roots, held_sockets, is_alive, topmost
from capacity.monitor.target import read_stat

LISTEN = "import os, socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
PREFORK = f"""
{LISTEN}
pids = []
for _ in range(3):
    pid = os.fork()
    if not pid:
        import signal; signal.pause()
    pids.append(pid)
print(*pids)
"""
REUSEPORT = """
import os, signal, socket
def opened(port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("127.0.0.1", port)); return s
first = opened(0); port = first.getsockname()[1]
pids = []
for _ in range(2):
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        s = opened(port); s.listen(); first.close(); os.write(write, b"x"); signal.pause()
    os.read(read, 1); pids.append(pid)
first.close()
print(port)
print(*pids)
"""
RENAME = "open('/proc/self/comm', 'w').write('cap-test-{}')"
END = "import signal; [os.kill(pid, signal.SIGKILL) or os.waitpid(pid, 0) for pid in pids]"


def test_a_port_is_found_by_who_holds_its_socket(start_child):
    child = start_child(LISTEN)

    assert find_roots(Selector(port=int(child.said[0]))) == (child.pid,)


def test_the_master_of_prefork_workers_is_the_root(start_child):
    child = start_child(PREFORK)

    assert find_roots(Selector(port=int(child.said[0]))) == (child.pid,)
    child.do(END)


def test_workers_that_each_opened_the_port_have_their_like_named_parent_as_root(start_child):
    child = start_child(REUSEPORT)

    assert find_roots(Selector(port=int(child.said[0]))) == (child.pid,)
    child.do(END)


def test_workers_without_a_like_named_parent_are_roots_side_by_side(start_child):
    child = start_child(REUSEPORT)
    child.do(RENAME.format("other"))

    assert find_roots(Selector(port=int(child.said[0]))) == tuple(map(int, child.said[1].split()))
    child.do(END)


def test_a_name_must_match_whole(start_child):
    child = start_child(RENAME.format(os.getpid() % 10_000))
    name = f"cap-test-{os.getpid() % 10_000}"

    assert find_roots(Selector(name=name)) == (child.pid,)
    with pytest.raises(UnreachableError, match="must match exactly"):
        find_roots(Selector(name=name[:-1]))


def test_a_pid_is_taken_as_it_is(start_child):
    child = start_child()

    assert find_roots(Selector(pid=child.pid)) == (child.pid,)


def test_a_port_that_nobody_listens_on_is_an_error_with_a_remedy():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(UnreachableError, match=f"nothing listens on TCP port {port}.*--pid"):
            find_roots(Selector(port=port))


def test_our_own_port_is_no_target():
    with (
        socket.create_server(("127.0.0.1", 0)) as own,
        pytest.raises(UnreachableError, match="owner cannot be seen"),
    ):
        find_roots(Selector(port=own.getsockname()[1]))


def test_a_pid_that_ended_is_an_error_with_a_remedy(start_child):
    child = start_child()
    child.end()
    with pytest.raises(UnreachableError, match=f"no process {child.pid}.*--port"):
        find_roots(Selector(pid=child.pid))


def test_a_zombie_does_not_count_as_alive(start_child, wait_until):
    parent = start_child("import os")
    pid = int(parent.do("pid = os.fork(); pid or os._exit(0); print(pid)")[0])
    wait_until(lambda: read_stat(pid).state == "Z")

    assert not is_alive(pid)


def test_held_sockets_are_the_inodes_of_open_sockets():
    with socket.socket() as one:
        inode = os.fstat(one.fileno()).st_ino

        assert inode in held_sockets(os.getpid())
    assert inode not in held_sockets(os.getpid())


def test_processes_that_ended_meanwhile_stand_for_themselves(start_child):
    child = start_child()
    child.end()

    assert topmost({child.pid}) == (child.pid,)
    assert topmost(set()) == ()


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (Selector(pid=7), "process 7"),
        (Selector(port=80), "port 80"),
        (Selector(name="nginx"), "process name 'nginx'"),
    ],
)
def test_a_selector_says_what_was_asked(selector, text):
    assert str(selector) == text
