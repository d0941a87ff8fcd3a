"""The hottest thread of real processes, and the rotation when there are many."""

import time
from types import SimpleNamespace

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


WORKERS = """
import queue
work, done = [queue.Queue() for _ in range(3)], queue.Queue()
def worker(own):
    while True: burn(own.get()); done.put(None)
for own in work: threading.Thread(target=worker, args=(own,), daemon=True).start()
def share(*all):
    for own, s in zip(work, all): own.put(s)
    for _ in all: done.get()
"""


def test_busy_threads_of_a_program_that_runs_them_at_once_are_not_added_up(
    start_child, view, monkeypatch
):
    monkeypatch.setattr(module, "has_global_lock", lambda *_: False)
    child = start_child(f"{BURN}{WORKERS}")

    assert hottest_s(child, view, "share(0.2, 0.2)") <= 0.3


def test_threads_that_take_turns_are_one_where_they_share_the_work(start_child, view):
    child = start_child(f"{BURN}{WORKERS}")

    assert hottest_s(child, view, "share(0.2, 0.2, 0.2)") == pytest.approx(0.6, abs=0.08)


def test_a_hot_thread_with_helpers_counts_alone(start_child, view):
    child = start_child(f"{BURN}{WORKERS}")

    assert hottest_s(child, view, "share(0.3); burn(0.6)") == pytest.approx(0.6, abs=0.08)


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
        # At least what was spent: the interval is no longer than this, however busy the machine is.
        hottest_s.append(used.get(Resource.EVENT_LOOP, 0.0) * (time.monotonic() - before_s))
        before_s = began_s

    assert most == 10
    # Every thread had its turn within five samples; the busy one stays among those read.
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


def test_of_many_threads_the_32_hottest_and_96_others_in_turn_are_read():
    collector, threads = EventLoopCollector(), [(1, number) for number in range(200)]
    collector._cores = {(1, number): float(number) for number in range(40)}
    first, second, third = (collector._chosen(threads) for _ in range(3))
    hottest = [(1, number) for number in range(39, 7, -1)]
    others = [(1, number) for number in (*range(8), *range(40, 200))]

    assert hottest + others[:96] == first
    assert hottest + others[96:] + others[: 96 - 72] == second
    assert hottest + others[24:120] == third


@pytest.mark.parametrize(("count", "chosen"), [(128, 128), (129, 128)])
def test_up_to_128_threads_are_all_read(count, chosen):
    assert chosen == len(EventLoopCollector()._chosen([(1, number) for number in range(count)]))


def test_a_rate_is_what_was_spent_over_what_has_passed(monkeypatch):
    monkeypatch.setattr(module, "thread_spent_s", lambda _pid, _thread, _proc: 1.5)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 102.0))
    collector, target = EventLoopCollector(), SimpleNamespace(proc="/proc")
    found = []
    for before in ((1.0, 100.0), (1.5, 100.0), (1.6, 100.0), None):
        collector._before = {} if before is None else {(1, 1): before}
        found.append(collector._cores_since_before((1, 1), target))

    assert [0.25, 0.0, None, None] == found
