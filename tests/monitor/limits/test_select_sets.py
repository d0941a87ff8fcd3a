"""Real programs that wait in each of the ways that there are; only who selects its clients has FD_SETSIZE."""

import platform
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.descriptors import DescriptorsCollector
from capacity.monitor.limits.select_sets import FD_SETSIZE, select_entries, waits_with_select

if platform.machine() not in {"x86_64", "aarch64"}:
    pytest.skip("system calls have other numbers here", allow_module_level=True)

BEGIN = """
import select, socket, threading, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
accepted, _ = server.accept()
print(server.getsockname()[1], flush=True)
"""
SELECTS_ALL = BEGIN + "select.select([server, client], [], [])"
SELECTS_NEWCOMERS = BEGIN + "client.close(); accepted.close(); select.select([server], [], [])"
WAYS = {
    "poll": "set = select.poll(); set.register(server); set.poll()",
    "epoll": "set = select.epoll(); set.register(server); set.poll()",
    "select of newcomers beside an epoll set": "set = select.epoll(); select.select([server], [], [])",
    "select of nothing": "select.select([], [], [], 1000)",
    "select of a pipe": "import os; select.select([os.pipe()[0]], [], [])",
    "sleep": "time.sleep(1000)",
}
BESIDE = "\nthreading.Thread(target=lambda: {0}, daemon=True).start()\ntime.sleep(1000)"


@pytest.fixture(name="start")
def fixture_start(wait_until):
    """Start a program that waits; it is asleep by then, and its port is known."""
    programs = []

    def start(code, *interpreter):
        command = [*(interpreter or (sys.executable, "-c")), code]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        programs.append(program)
        assert program.stdout is not None
        program.port = int(program.stdout.readline())
        state = Path(f"/proc/{program.pid}/stat")
        wait_until(lambda: all_wait(program.pid) and " S " in state.read_text())
        return program

    yield start
    for program in programs:
        program.kill()
        program.wait()
        program.stdout.close()


def all_wait(pid):
    calls = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/syscall")]
    is_set = all(re.match(r"\d+ 0x", call) for call in calls)
    # Of the threads that are meant, the second one may not be there yet.
    return is_set and len(calls) == 1 + ("Thread" in Path(f"/proc/{pid}/cmdline").read_text())


def is_seen(program, view, listening=()):
    stat = view(program.pid).stats[program.pid]
    return waits_with_select(program.pid, stat, listening)


def test_a_loop_that_selects_is_seen_before_there_are_clients_and_with_them(start, view):

    assert is_seen(start(SELECTS_NEWCOMERS), view)
    assert is_seen(start(SELECTS_ALL), view)


@pytest.mark.parametrize("way", WAYS)
def test_other_ways_to_wait_have_no_such_limit(start, view, way):

    assert not is_seen(start(BEGIN + WAYS[way]), view)


@pytest.mark.parametrize(
    ("waits_for", "expected"),
    [
        ("select.select([server], [], [])", False),
        ("select.select([server, client], [], [])", True),
        ("(select.epoll(), select.select([client], [], []))", True),
    ],
)
def test_a_thread_that_selects_newcomers_alone_is_no_loop_of_clients(
    start, view, listeners, wait_until, waits_for, expected
):
    program = start(BEGIN + BESIDE.format(waits_for))
    target = view(program.pid)
    listening = {each.inode for each in listeners.read(target)}

    assert listening
    wait_until(lambda: is_seen(program, view, listening) is expected)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (
            "ruby",
            (
                "require 'socket'; $stdout.sync = true; a, b = Socket.pair(:UNIX, :STREAM);"
                " puts 1; IO.select([a])"
            ),
        ),
        (
            "perl",
            (
                "use Socket; $| = 1; socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC);"
                " print qq(1\n); vec(my $set = '', fileno $a, 1) = 1; select $set, undef, undef, undef"
            ),
        ),
    ],
)
def test_interpreters_whose_sets_grow_have_no_such_limit(start, view, program, code):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")

    assert not is_seen(start(code, program, "-e"), view)


def test_the_audit_names_the_process_that_selects(start, view, bystander):
    program = start(SELECTS_ALL)
    [found] = select_entries(view(bystander.pid, program.pid))
    [without] = select_entries(view(bystander.pid))

    assert (found.value, found.resource) == (FD_SETSIZE, Resource.DESCRIPTORS)
    assert f"/proc/{program.pid}/" in found.source
    assert without.state is LimitState.UNLIMITED


def test_what_may_not_be_seen_is_unknown_with_its_reason(view, bystander, tmp_path):
    """A file in the place of the folder of threads cannot be read either, even by root."""
    target = view(bystander.pid)
    path = tmp_path / f"{bystander.pid}/task/{bystander.pid}/syscall"
    path.mkdir(parents=True)
    [entry] = select_entries(
        type(target)(name="x", started_at=1.0, stats=target.stats, proc=str(tmp_path))
    )

    assert entry.state is LimitState.UNKNOWN
    assert str(path) in entry.reason


@pytest.mark.parametrize(
    ("most", "expected"), [(FD_SETSIZE - 1, FD_SETSIZE - 1), (FD_SETSIZE + 1, FD_SETSIZE)]
)
def test_of_the_limits_of_open_files_and_of_select_the_lower_one_counts(
    start, view, most, expected
):
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({most}, {most}))\n"
    reading = DescriptorsCollector().collect(view(start(limit + SELECTS_ALL).pid))

    assert [each.value for each in reading.limits] == [expected]


def test_a_loop_that_was_seen_to_select_is_one_while_it_is_busy(start, view, wait_until):
    program = start(BEGIN + "select.select([server], [], [])\nwhile True: pass")
    collector, target = DescriptorsCollector(), view(program.pid)
    seen = collector.collect(target).limits[0]
    with socket.create_connection(("127.0.0.1", program.port)):
        wait_until(lambda: Path(f"/proc/{program.pid}/syscall").read_text() == "running\n")
        busy = collector.collect(target).limits[0]

    assert seen.value == busy.value == FD_SETSIZE
