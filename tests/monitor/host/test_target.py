"""Trees of real processes: forks, deaths, returns, and another process under the same pid."""

import os
import runpy
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from capacity.domain.errors import UnreachableError
from capacity.monitor.host import target as module
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.target import Target, children, process_tree, read_stat

LOOKS = runpy.run_path(str(Path(__file__).with_name("looks.py")))
FORK = LOOKS["FORK"]
MORE = LOOKS["MORE"]
LESS = LOOKS["LESS"]
LISTEN = LOOKS["LISTEN"]
hasty = LOOKS["hasty"]
resolved = LOOKS["resolved"]
BOOT_TIME_ROUNDED_S = 1.5
"""The kernel tells its boot in whole seconds, and a start in ticks after that."""
PIDS = "print(*pids)"


def test_a_view_holds_the_whole_tree_parents_first(start_child, hasty):
    child = start_child(FORK)
    child.do(MORE)
    child.do(MORE)
    workers = {int(pid) for pid in child.do(PIDS)[0].split()}
    view = resolved(pid=child.pid).view()

    assert view.root == child.pid
    assert view.stats.keys() == {child.pid, *workers}
    child.do(LESS), child.do(LESS)


def test_a_process_for_each_connection_is_seen_with_the_next_sample(start_child):
    child = start_child(FORK)
    target = resolved(pid=child.pid)
    target.view()
    counts = []
    for _ in range(3):
        child.do(MORE)
        counts.append(len(target.view().stats))
    child.do(LESS)
    counts.append(len(target.view().stats))
    child.do(LESS), child.do(LESS)

    assert counts == [2, 3, 4, 3]


def test_so_is_that_of_a_server_behind_a_shell(start_child):
    shell = start_child("import subprocess, sys; held = []")
    shell.do(
        "held.append(subprocess.Popen([sys.executable, '-ISc', 'import os, sys\\n"
        "for line in sys.stdin: pid = os.fork() or sys.stdin.read()'], stdin=subprocess.PIPE))"
    )
    target = resolved(pid=shell.pid)
    assert len(target.view().stats) == 2
    shell.do("held[0].stdin.write(b'fork\\n'); held[0].stdin.flush(); import time; time.sleep(0.3)")

    assert len(target.view().stats) == 3
    shell.do("held[0].stdin.close(); held[0].wait()")


def test_where_processes_are_many_children_of_those_without_wait_for_the_next_look(
    start_child, monkeypatch
):
    monkeypatch.setattr(module, "_WATCHED", 1)
    child = start_child(FORK)
    child.do("r, w = os.pipe()")
    child.do("pids.append(os.fork()) or pids[-1] or (os.read(r, 1), os.fork(), signal.pause())")
    target = resolved(pid=child.pid)
    seen = [len(target.view().stats)]
    child.do("os.write(w, b'fork'); import time; time.sleep(0.3)")
    seen.append(len(target.view().stats))
    monkeypatch.setattr(module, "_REFRESH_S", 0.0)
    target._look_at_s = 0.0
    seen.append(len(target.view().stats))
    for pid in target.view().stats.keys() - {child.pid}:
        os.kill(pid, 9)

    assert seen == [2, 2, 3]


def test_the_start_is_in_the_agents_epoch_seconds(start_child):
    before = time.time()
    child = start_child()

    started_at = resolved(pid=child.pid).view().started_at
    after = time.time()

    assert before - BOOT_TIME_ROUNDED_S <= started_at <= after + BOOT_TIME_ROUNDED_S


def test_looking_again_waits_its_time(start_child):
    first = start_child(LISTEN.format(0))
    port = int(first.said[0])
    target = resolved(port=port)
    first.end()
    gone = target.view()
    start_child(LISTEN.format(port))

    assert gone is None
    assert target.view() is None


@pytest.fixture
def clock(monkeypatch):
    """The clocks that a target goes by: hours that pass, and what a look takes of the processor."""
    clock = SimpleNamespace(now_s=1000.0, look_s=0.0, spent_s=70.0)

    def thread_time():
        clock.spent_s += clock.look_s  # It is asked before a look and behind it.
        return clock.spent_s

    times = SimpleNamespace(monotonic=lambda: clock.now_s, thread_time=thread_time)
    monkeypatch.setattr(module, "time", times)
    return clock


@pytest.mark.parametrize(("look_s", "pause_s"), [(0.0045, 5.0), (0.02, 20.0)])
def test_children_are_looked_for_every_five_seconds_and_for_a_thousandth_of_a_core_at_most(
    start_child, monkeypatch, clock, look_s, pause_s
):
    monkeypatch.setattr(module, "_WATCHED", 0)
    child, seen = start_child(FORK), []
    target, clock.look_s = resolved(pid=child.pid), look_s
    target.view()
    child.do(MORE)
    for clock.now_s in (1000.0 + pause_s - 0.1, 1000.0 + pause_s + 0.1):
        seen.append(len(target.view().stats))
    child.do(LESS)

    assert [1, 2] == seen


def test_a_target_that_is_gone_is_looked_for_every_two_seconds(start_child, clock):
    first = start_child(LISTEN.format(0))
    port = int(first.said[0])
    target = resolved(port=port)
    first.end()
    gone = target.view()
    again = start_child(LISTEN.format(port))
    clock.now_s = 1001.9
    early = target.view()
    clock.now_s = 1002.1

    assert (None, None) == (gone, early)
    assert again.pid == target.view().root


def test_nobody_is_resolved_from_nothing(start_child):
    child = start_child()
    child.end()
    with pytest.raises(UnreachableError, match="no process"):
        resolved(pid=child.pid)


def test_children_of_every_thread_are_found(start_child):
    child = start_child(FORK + "; import threading")
    child.do(f"t = threading.Thread(target=lambda: ({MORE})); t.start(); t.join()")

    assert children(child.pid) == [int(child.do(PIDS)[0])]
    child.do(LESS)


def test_grandchildren_belong_to_the_tree_and_the_agent_does_not(start_child):
    child = start_child("import os, signal, time")
    line = "pid = os.fork(); pid or (os.fork(), signal.pause()); print(pid)"
    son = int(child.do(line)[0])
    deadline = time.monotonic() + 5
    while not (grandsons := children(son)) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert process_tree((child.pid,)) == [child.pid, son, *grandsons]
    assert os.getpid() not in process_tree((os.getpid(),))
    for pid in (son, *grandsons):
        os.kill(pid, 9)


def test_a_process_that_is_gone_has_neither_stat_nor_children():
    assert read_stat(2**22 + 1) is None
    assert children(2**22 + 1) == []


def test_a_single_thread_can_be_read(start_child):
    child = start_child()

    assert read_stat(child.pid, file=f"task/{child.pid}/stat").parent_pid == os.getpid()


def test_a_member_that_no_other_started_joins_with_its_cgroup(start_child, hasty, v1_cgroup):
    first, second = start_child(), start_child()
    group = v1_cgroup("pids", first)
    target = resolved(cgroup=f"/{group.name}")
    alone = target.view().stats.keys()
    (group / "cgroup.procs").write_text(str(second.pid))
    both = target.view().stats.keys()
    first.end()
    second.end()

    assert (alone, both) == ({first.pid}, {first.pid, second.pid})


def test_a_stat_that_is_cut_short_is_a_target_that_cannot_be_read(write_file, tmp_path, hasty):
    own = os.getpid()
    stat = write_file(f"{own}/stat", Path(f"/proc/{own}/stat").read_text())
    target = Target(Selector(pid=own), proc=str(tmp_path))
    target.resolve()
    target._look_at_s = float("inf")
    there = target.view()
    stat.write_text(f"{own} (python3) S 1")
    torn, why = target.view(), target.missing

    assert there.root == own
    assert torn is None
    assert "the target cannot be read: not in the documented format" in why


def test_a_tree_of_a_thousand_processes_is_found_with_one_look_at_each(start_child, monkeypatch):
    looks = []
    real = module.children
    monkeypatch.setattr(module, "children", lambda pid, proc: looks.append(pid) or real(pid, proc))
    parent = start_child(
        "import os\nnap = ['sleep', '60']\n"
        "pids = [os.posix_spawnp('sleep', nap, os.environ) for _ in range(1000)]"
    )
    tree = process_tree((parent.pid,))
    parent.do("for pid in pids: os.kill(pid, 9)")
    parent.do("for pid in pids: os.waitpid(pid, 0)")

    assert len(tree) == 1001
    assert sorted(looks) == sorted(tree)


def test_the_start_of_several_is_that_of_the_first(start_child, monkeypatch):
    first = start_child()
    second = start_child()
    monkeypatch.setattr(
        "capacity.monitor.host.target.find_roots", lambda _selector: (second.pid, first.pid)
    )
    target = Target(Selector(name="any"))
    target.resolve()
    starts = [psutil.Process(child.pid).create_time() for child in (first, second)]

    assert min(starts) == target.view().started_at
    assert second.pid == target.view().root


def test_a_name_of_any_bytes_is_one_printable_line(start_child):
    child = start_child("import ctypes")
    child.do(r"ctypes.CDLL(None).prctl(15, b'a b) R\n\xff(', 0, 0, 0)")

    assert "a b) R \ufffd(" == resolved(pid=child.pid).view().name
