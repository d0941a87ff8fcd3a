"""Threads of a user that has no other processes here, up to the limit where the kernel refuses."""

import os
import shutil

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import user_processes as module
from capacity.monitor.collectors.user_processes import UserProcessesCollector, threads_of
from capacity.monitor.host.target import process_tree

USER = str(1_000_000 + os.getpid())
"""A number that nobody here has, nor these tests in another process."""
THREADS = """
import threading, time
def start(n):
    for _ in range(n): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def start_all():
    count = 0
    try:
        while True: start(1); count += 1
    except RuntimeError: print(count)
"""


@pytest.fixture
def start_as_user(start_child):
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or not setpriv:
        pytest.skip("root and setpriv are needed to start a process as another user")
    return lambda prepare: start_child(
        prepare, (setpriv, f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
    )


@pytest.fixture
def collector(monkeypatch):
    monkeypatch.setattr(module, "_EVERY_S", 0.0)
    monkeypatch.setattr(module, "_COST_RATIO", 1e9)
    return UserProcessesCollector()


LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (30, 30))\n"


def test_all_processes_of_the_user_count_up_to_the_limit_where_the_kernel_refuses(
    collector, start_as_user, view
):
    child, other = start_as_user(LIMIT + THREADS), start_as_user(THREADS)
    other.do("start(4)")
    target = view(child.pid)
    (limit,) = collector.limits(target)
    before = collector.collect(target).used[Resource.USER_PROCESSES]
    (started,) = child.do("start_all()")
    after = collector.collect(view(child.pid)).used[Resource.USER_PROCESSES]

    assert (limit.value, limit.scope) == (30, "user")
    assert limit.source == f"/proc/{child.pid}/limits: Max processes (soft)"
    assert before == 1 + 5
    assert after == 30 == before + int(started)


def test_the_superuser_is_not_limited_and_counts_the_target_alone(collector, start_child, view):
    if os.geteuid() != 0:
        pytest.skip("only root is the superuser")
    child = start_child(LIMIT + THREADS)
    child.do("start(3)")
    (limit,) = collector.limits(view(child.pid))

    assert limit.state is LimitState.UNLIMITED
    assert "none for root" in limit.source
    assert collector.collect(view(child.pid)).used[Resource.USER_PROCESSES] == 4


def test_of_a_tree_the_tightest_limit_counts(collector, start_as_user, view):
    loose, tight = start_as_user(THREADS), start_as_user(LIMIT + THREADS)
    (limit,) = collector.limits(view(loose.pid, tight.pid))

    assert (limit.value, str(tight.pid) in limit.source) == (30, True)


def test_a_target_that_ended_has_an_unknown_limit(collector, start_child, view):
    child = start_child()
    gone = view(child.pid)
    child.end()
    (limit,) = collector.limits(gone)

    assert limit.state is LimitState.UNKNOWN


def test_a_user_without_processes_has_none():
    assert threads_of("54322") == {}


FORKS = """
import os, signal
forked = []
def fork(n):
    for _ in range(n):
        pid = os.fork()
        pid or signal.pause()
        forked.append(pid)
def reap():  # One that ended and was not waited for counts still.
    for pid in forked: os.kill(pid, 9), os.waitpid(pid, 0)
def fork_all():
    count = 0
    try:
        while True: fork(1); count += 1
    except BlockingIOError: print(count)
"""


def test_a_process_for_each_connection_counts_up_to_the_limit(collector, start_as_user, view):
    child = start_as_user(LIMIT + FORKS)
    collector.limits(view(child.pid))
    (forked,) = child.do("fork_all()")
    tree = process_tree((child.pid,))
    after = collector.collect(view(*tree)).used[Resource.USER_PROCESSES]
    child.do("reap()")

    assert after == 30 == 1 + int(forked) == len(tree)


def test_between_two_looks_at_the_host_the_targets_own_are_counted_anew(
    start_as_user, view, monkeypatch
):
    monkeypatch.setattr(module, "_EVERY_S", 3600.0)
    collector = UserProcessesCollector()
    child, other = start_as_user(LIMIT + THREADS + FORKS), start_as_user(THREADS)
    other.do("start(2)")
    collector.limits(view(child.pid))
    uses = [collector.collect(view(child.pid)).used[Resource.USER_PROCESSES]]
    child.do("start(5)")
    uses.append(collector.collect(view(child.pid)).used[Resource.USER_PROCESSES])
    child.do("fork(3)")
    tree = process_tree((child.pid,))
    uses.append(collector.collect(view(*tree)).used[Resource.USER_PROCESSES])
    child.do("reap()")

    assert uses == [1 + 3, 1 + 3 + 5, 1 + 3 + 5 + 3]


def test_a_child_that_was_one_of_the_others_is_not_counted_twice(start_as_user, view, monkeypatch):
    monkeypatch.setattr(module, "_EVERY_S", 3600.0)
    collector, child = UserProcessesCollector(), start_as_user(LIMIT + FORKS)
    collector.limits(view(child.pid))
    child.do("fork(4)")
    tree = process_tree((child.pid,))
    uses = [
        collector.collect(target).used[Resource.USER_PROCESSES]
        for target in (view(child.pid), view(*tree))
    ]
    child.do("reap()")

    assert uses == [5, 5]


UNSHARE = """
import ctypes, os, time
refused = ctypes.CDLL(None, use_errno=True).unshare(0x10000000)  # CLONE_NEWUSER
print(refused or "alone", flush=True)
"""


def test_privilege_in_a_user_namespace_of_its_own_exempts_nobody(start_as_user, collector, view):
    child = start_as_user(UNSHARE + LIMIT + THREADS)
    if child.said != ["alone"]:
        pytest.skip("making a user namespace is not permitted here")
    (limit,) = collector.limits(view(child.pid))
    (started,) = child.do("start_all()")

    assert (limit.state, limit.value) == (LimitState.KNOWN, 30)
    assert (
        1 + int(started) == 30 == collector.collect(view(child.pid)).used[Resource.USER_PROCESSES]
    )


def test_a_reading_comes_every_two_seconds_or_takes_a_two_thousandth_of_a_core():
    pace = UserProcessesCollector()._pace

    assert (2.0, 0.0005) == (pace.interval_s, pace._cost_ratio)
