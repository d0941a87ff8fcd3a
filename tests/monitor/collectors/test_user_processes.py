"""Threads of a user that has no other processes here, up to the limit where the kernel refuses."""

import os
import shutil

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import user_processes as module
from capacity.monitor.collectors.user_processes import UserProcessesCollector, threads_of

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
    after = collector.collect(target).used[Resource.USER_PROCESSES]

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
    assert threads_of("54322") == 0
