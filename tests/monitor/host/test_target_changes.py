"""A target that ends, is replaced, or becomes two."""

import os
import runpy
from pathlib import Path

from capacity.monitor.host.target import read_stat

LOOKS = runpy.run_path(str(Path(__file__).with_name("looks.py")))
FORK = LOOKS["FORK"]
MORE = LOOKS["MORE"]
LESS = LOOKS["LESS"]
LISTEN = LOOKS["LISTEN"]
hasty = LOOKS["hasty"]
resolved = LOOKS["resolved"]


def test_workers_come_and_go_from_view_to_view(start_child, hasty):
    child = start_child(FORK)
    target = resolved(pid=child.pid)
    counts = [len(target.view().stats)]
    for step in (MORE, MORE, LESS, MORE, LESS, LESS):
        child.do(step)
        counts.append(len(target.view().stats))

    assert counts == [1, 2, 3, 2, 3, 2, 1]


def test_a_pid_that_ended_stays_gone_with_a_reason(start_child, hasty):
    child = start_child()
    target = resolved(pid=child.pid)
    target.view()
    child.process.kill()
    child.process.wait()

    assert target.view() is None
    assert f"process {child.pid} ended" in target.missing
    assert target.view() is None
    assert f"no process {child.pid}" in target.missing


def test_a_zombie_is_gone(start_child, hasty, wait_until):
    parent = start_child("import os, signal")
    pid = int(parent.do("pid = os.fork(); pid or signal.pause(); print(pid)")[0])
    target = resolved(pid=pid)
    before = target.view()
    os.kill(pid, 9)  # Its parent does not reap it.
    wait_until(lambda: read_stat(pid).state == "Z")

    assert before.root == pid
    assert target.view() is None


def test_another_process_under_the_same_pid_is_not_the_target(start_child, hasty):
    child = start_child()
    target = resolved(pid=child.pid)
    # As if the pid had belonged to a process that started earlier.
    target._root_ticks = target._started_ticks = {child.pid: 1}

    assert target.view() is None
    assert target.view() is None
    assert "another one by now" in target.missing


def test_a_port_is_followed_to_its_next_holder(start_child, hasty):
    first = start_child(LISTEN.format(0))
    port = int(first.said[0])
    target = resolved(port=port)
    before = target.view()
    first.process.kill()
    first.process.wait()
    gone = target.view()
    second = start_child(LISTEN.format(port))
    after = target.view()

    assert gone is None
    assert (before.root, after.root) == (first.pid, second.pid)
    assert after.started_at >= before.started_at
    assert target.missing is None


def test_a_replaced_master_is_found_although_a_worker_lives_on(start_child, hasty):
    """The old worker inherited nothing that the new master holds."""
    first = start_child(f"{LISTEN.format(0)}\nimport os, signal")
    port = int(first.said[0])
    worker = int(first.do("pid = os.fork(); pid or (s.close(), signal.pause()); print(pid)")[0])
    target = resolved(port=port)
    assert worker in target.view().stats
    first.end()
    second = start_child(LISTEN.format(port))
    try:
        view = target.view()

        assert view.root == second.pid
    finally:
        os.kill(worker, 9)


def test_a_target_that_has_become_two_is_gone_until_one_is_left(start_child, hasty):
    word = f"'planted-{os.getpid()}-twice'"
    first = start_child(word)
    target = resolved(cmdline=word)
    first.end()
    assert target.view() is None
    second, third = start_child(word), start_child(word)
    ambiguous = target.view(), target.missing
    second.end()
    one = target.view()

    assert ambiguous[0] is None
    assert "matches 2 targets" in ambiguous[1]
    assert one.root == third.pid
