"""Real processes by name, by command line and by who started them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.domain.errors import UnreachableError
from capacity.monitor.host.processes import (
    ancestors,
    command_line,
    is_alive,
    matching_processes,
    name_of,
    named_processes,
    outermost,
    topmost,
)
from capacity.monitor.host.target import read_stat

FORK = "import os, signal; pid = os.fork(); pid or signal.pause(); print(pid)"
END = "os.kill(pid, 9); os.waitpid(pid, 0)"


def test_a_zombie_does_not_count_as_alive(start_child, wait_until):
    parent = start_child("import os")
    pid = int(parent.do("pid = os.fork(); pid or os._exit(0); print(pid)")[0])
    wait_until(lambda: read_stat(pid).state == "Z")

    assert not is_alive(pid)


def test_processes_that_ended_meanwhile_stand_for_themselves(start_child):
    child = start_child()
    child.end()

    assert topmost({child.pid}) == (child.pid,)
    assert topmost(set()) == ()


def test_a_process_that_is_gone_has_neither_name_nor_words_nor_ancestors():
    gone = 2**22 + 1

    assert (name_of(gone), command_line(gone), ancestors(gone)) == ("", "", [])
    assert not is_alive(gone)


def test_our_own_name_is_not_found():
    comm = Path("/proc/self/comm")
    before = comm.read_text()
    comm.write_text(f"own-{os.getpid()}")
    try:
        with pytest.raises(UnreachableError, match="no process is called 'own-"):
            named_processes(name_of(os.getpid()))
    finally:
        comm.write_text(before)


def test_a_command_line_is_matched_anywhere(start_child):
    child = start_child("'planted word'")

    assert command_line(child.pid).startswith(f"{sys.executable} -ISc 'planted word'")
    assert matching_processes(r"^\S*python\S* -ISc 'planted w[o]rd'") == {child.pid}


def test_those_who_started_us_are_not_meant_though_the_pattern_is_on_their_line():
    line = (
        "from capacity.monitor.host.processes import matching_processes as matching\n"
        "print(matching('planted-pattern'))"
    )
    shell = f'true planted-pattern; {sys.executable} -c "$0"; true'
    ran = subprocess.run(["sh", "-c", shell, line], capture_output=True, text=True, check=False)

    assert "UnreachableError: no command line contains 'planted-pattern'" in ran.stderr


def test_what_is_nowhere_is_an_error_with_a_remedy():
    with pytest.raises(UnreachableError, match=r"no command line contains .*ps -eo args"):
        matching_processes(f"nowhere-{os.getpid()}-{os.urandom(4).hex()}"[::-1])


def test_the_outermost_started_the_others(start_child):
    child = start_child(FORK)
    pids = {child.pid, int(child.said[0])}

    assert outermost(pids) == (child.pid,)
    assert ancestors(int(child.said[0]))[:2] == [child.pid, os.getpid()]
    child.do(END)


def test_a_parent_of_the_same_name_stands_for_those_that_it_started(start_child):
    child = start_child(f"{FORK}; first = pid; pid = os.fork(); pid or signal.pause(); print(pid)")
    workers = tuple(map(int, child.said))

    assert outermost(workers) == workers
    assert topmost(workers) == (child.pid,)
    child.do(f"{END}; pid = first; {END}")
