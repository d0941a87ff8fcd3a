"""Threads of real children, in and out of a real pids cgroup."""

import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.threads import ThreadsCollector
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.target import Target

THREADS = """
import threading, time
for _ in range({}):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""


def collected(target):
    collector = ThreadsCollector()
    limits = list(collector.limits(target))
    reading = collector.collect(target)
    return reading.used[Resource.THREADS], [*limits, *reading.limits][-1]


def test_every_thread_of_the_tree_counts(start_child, view):
    one, two = start_child(THREADS.format(7)), start_child(THREADS.format(2))
    used, limit = collected(view(one.pid, two.pid))

    assert used == 8 + 3
    if limit.scope == "host":
        assert limit.value == int(Path(limit.source).read_text())
        assert limit.value <= int(Path("/proc/sys/kernel/threads-max").read_text())
        assert limit.value <= int(Path("/proc/sys/kernel/pid_max").read_text())


def test_a_pids_cgroup_counts_all_that_are_in_it(start_child, view, v1_cgroup):
    child, other = start_child(THREADS.format(5)), start_child()
    group = v1_cgroup("pids", child)
    (group / "cgroup.procs").write_text(str(other.pid))
    (group / "pids.max").write_text("40")
    used, limit = collected(view(child.pid))
    other.end()

    assert used == 6 + 1
    assert (limit.value, limit.scope, limit.source) == (40, "cgroup", f"{group}/pids.max")


SERVERS = Path(__file__).parents[2] / "validation" / "servers"


@pytest.fixture
def start_server():
    """Start one of the validation's servers; returns it and the port that it listens on."""
    started = []

    def start(name):
        command = [sys.executable, str(SERVERS / name)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1], int(started[-1].stderr.readline().rpartition(":")[2])

    yield start
    for server in started:
        server.kill()
        server.wait()
        server.stderr.close()


@pytest.mark.parametrize("name", ["with_threads.py", "with_processes.py"])
def test_a_thread_or_a_process_for_each_connection_counts(start_server, wait_until, name):
    server, port = start_server(name)
    target = Target(Selector(pid=server.pid))
    target.resolve()
    before, _limit = collected(target.view())
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        wait_until(lambda: collected(target.view())[0] >= before + 20)

        assert collected(target.view())[0] == before + 20
    wait_until(lambda: collected(target.view())[0] == before)


@pytest.fixture
def v2(write_file, tmp_path, view):
    (tmp_path / "mnt/a/b").mkdir(parents=True)
    write_file("7/stat", "7 (n) S 1 " + "0 " * 15 + "3 " + "0 " * 20)
    write_file("7/cgroup", "0::/a/b\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup2 cgroup2 rw\n")
    write_file("sys/kernel/threads-max", "500\n")
    write_file("sys/kernel/pid_max", "32768\n")
    return view(7, proc=str(tmp_path))


def test_the_ancestor_with_least_room_counts(v2, write_file, tmp_path):
    for name, text in {"a/b/pids.max": "50", "a/b/pids.current": "10", "a/pids.max": "100"}.items():
        write_file(f"mnt/{name}", text)
    write_file("mnt/a/pids.current", "99")

    assert collected(v2)[0] == 99
    assert collected(v2)[1].source == f"{tmp_path}/mnt/a/pids.max"


@pytest.mark.parametrize("text", ["max\n", "70000\n"])
def test_a_cgroup_wider_than_the_host_does_not_bind(v2, write_file, text):
    write_file("mnt/a/pids.max", text)
    used, limit = collected(v2)

    assert (used, limit.value, limit.scope) == (3, 500, "host")


def test_a_cgroup_out_of_sight_makes_the_limit_unknown_and_keeps_the_use(v2, write_file):
    write_file("7/cgroup", "0::/../elsewhere\n")
    used, limit = collected(v2)

    assert (used, limit.state, limit.scope) == (3, LimitState.UNKNOWN, "cgroup")


def test_process_ids_give_out_before_threads_where_there_are_fewer(v2, write_file, tmp_path):
    write_file("sys/kernel/pid_max", "400\n")
    _used, limit = collected(v2)

    assert (limit.value, limit.source) == (400, f"{tmp_path}/sys/kernel/pid_max")


def test_a_host_that_does_not_say_its_limit_is_unknown(v2, tmp_path):
    (tmp_path / "sys/kernel/threads-max").unlink()

    assert collected(v2)[1].state is LimitState.UNKNOWN


@pytest.mark.parametrize(
    ("limits", "used", "limit", "scope"),
    [
        ((40, 10, 100, 90), 90, 100, "cgroup"),
        ((40, 35, 100, 90), 35, 40, "cgroup"),
        ((999, 10, "max", 90), 10, 999, "cgroup"),
        ((1000, 10, "max", 90), 3, 1000, "host"),
        (("max", 10, "max", 90), 3, 1000, "host"),
    ],
)
def test_the_cgroup_with_least_room_counts_where_it_is_below_the_hosts_limit(
    write_file, tmp_path, view, limits, used, limit, scope
):
    write_file("7/stat", "7 (n) S 1 " + "0 " * 15 + "3 " + "0 " * 20)
    write_file("7/cgroup", "0::/a/b\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup2 cgroup2 rw\n")
    write_file("sys/kernel/threads-max", "1000\n")
    write_file("sys/kernel/pid_max", "2000\n")
    for folder, most, now in (("a/b", *limits[:2]), ("a", *limits[2:])):
        write_file(f"mnt/{folder}/pids.max", f"{most}\n")
        write_file(f"mnt/{folder}/pids.current", f"{now}\n")
    found, at = collected(view(7, proc=str(tmp_path)))

    assert (used, limit, scope) == (found, at.value, at.scope)
