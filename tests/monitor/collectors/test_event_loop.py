"""The hottest thread of real processes, and the rotation when there are many."""

import time

import pytest

from capacity.domain.resources import Resource
from capacity.monitor.collectors import event_loop as module
from capacity.monitor.collectors.event_loop import EventLoopCollector

BURNT_S, TICK_S = 0.05, 0.01
BURN = """
import threading, time
def burn(s):
    end = time.thread_time() + s
    while time.thread_time() < end: pass
def threads(n):
    for _ in range(n):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""


def hottest_s(child, view, line):
    collector = EventLoopCollector()
    collector.collect(view(child.pid))
    began_s = time.monotonic()
    child.do(line)
    reading = collector.collect(view(child.pid))
    return reading.used[Resource.EVENT_LOOP] * (time.monotonic() - began_s)


def test_the_only_thread_is_the_hottest(start_child, view):
    assert hottest_s(start_child(BURN), view, "burn(0.2)") == pytest.approx(0.2, abs=0.03)


def test_idle_threads_beside_it_change_nothing(start_child, view):
    child = start_child(f"{BURN}\nthreads(20)")

    assert hottest_s(child, view, "burn(0.2)") == pytest.approx(0.2, abs=0.03)


def test_two_busy_threads_are_not_added_up(start_child, view):
    child = start_child(
        f"{BURN}\ngo = threading.Event(); ready = threading.Event()\n"
        "threading.Thread(target=lambda: (go.wait(), burn(0.15), ready.set()), daemon=True).start()"
    )

    assert hottest_s(child, view, "go.set(); ready.wait(); burn(0.15)") == pytest.approx(
        0.15, abs=0.03
    )


def test_the_first_reading_has_no_rate_and_says_so(start_child, view):
    reading = EventLoopCollector().collect(view(start_child().pid))

    assert not reading.used
    assert "a rate needs two" in reading.missing[Resource.EVENT_LOOP]


def test_a_thread_id_used_again_is_another_thread(start_child, view):
    collector, child = EventLoopCollector(), start_child(BURN)
    collector.collect(view(child.pid))
    (thread,) = collector._before
    collector._before[thread] = (1e6, time.monotonic() - 1)

    assert not collector.collect(view(child.pid)).used


def test_with_many_threads_few_are_read_and_the_busy_one_is_found(start_child, view, monkeypatch):
    monkeypatch.setattr(module, "_MOST_THREADS", 10)
    monkeypatch.setattr(module, "_HOTTEST", 4)
    child = start_child(f"{BURN}\nthreads(30)")
    collector = EventLoopCollector()
    reads = []
    real = module.thread_spent_s
    monkeypatch.setattr(module, "thread_spent_s", lambda *args: reads.append(args) or real(*args))
    most = 0
    hottest_s, before_s = [], time.monotonic()
    for _ in range(12):
        reads.clear()
        began_s = time.monotonic()
        child.do(f"burn({BURNT_S})")
        used = collector.collect(view(child.pid)).used
        most = max(most, len(reads))
        # At least what was spent: the beat is no longer than this, however busy the machine is.
        hottest_s.append(used.get(Resource.EVENT_LOOP, 0.0) * (time.monotonic() - before_s))
        before_s = began_s

    assert most == 10
    # Every thread had its turn within five beats; the busy one stays among those read.
    assert len(collector._before) == 31
    # A tick less than it spent each time.
    assert min(hottest_s[-3:]) > BURNT_S - TICK_S


def test_a_process_that_ended_meanwhile_is_left_out(start_child, view):
    collector = EventLoopCollector()
    child = start_child(f"{BURN}\nthreads(2)")
    collector.collect(view(child.pid))
    gone = view(child.pid)
    child.end()

    assert Resource.EVENT_LOOP in collector.collect(gone).missing


def test_one_core_is_the_limit(start_child, view):
    (limit,) = EventLoopCollector().limits(view(start_child().pid))

    assert (limit.value, limit.scope) == (1.0, "process")
    assert limit.source == "one thread uses at most one core"
