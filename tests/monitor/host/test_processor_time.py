"""Clocks of real threads against what they measured of themselves, and made-up /proc for the rest."""

import time

import psutil
import pytest

from capacity.monitor.host.processor_time import ProcessClock, thread_ids, thread_spent_s
from capacity.monitor.host.procfs import TICKS_PER_S
from capacity.monitor.host.target import read_stat

BURN = """
import threading, time
def burn(s):
    end = time.thread_time() + s
    while time.thread_time() < end: pass
def brief(s, n):
    for _ in range(n):
        thread = threading.Thread(target=burn, args=(s,))
        thread.start()
        thread.join()
"""


def spent_s(clock, child):
    stat = read_stat(child.pid)
    return clock.read(child.pid, stat, thread_ids(child.pid, stat), "/proc")


def fake_stat(pid, ticks, threads=1):
    return f"{pid} (n) S 1 {'0 ' * 9}{ticks} 0 0 0 0 0 {threads} 0 7 {'0 ' * 20}"


@pytest.fixture
def tick_process(write_file, tmp_path):
    """A process 7 of a made-up /proc, whose ticks and threads' nanoseconds are given."""
    proc = str(tmp_path)

    def read(clock, ticks, **threads_ns):
        write_file("7/stat", fake_stat(7, ticks, len(threads_ns)))
        for thread, spent_ns in threads_ns.items():
            write_file(f"7/task/{thread[1:]}/schedstat", f"{spent_ns} 5 9\n")
        threads = [int(thread[1:]) for thread in threads_ns]
        return clock.read(7, read_stat(7, proc), threads, proc)

    return read


def test_less_than_a_tick_is_seen(start_child):
    child, clock = start_child(BURN), ProcessClock()
    before_s = spent_s(clock, child)
    child.do("burn(0.003)")

    assert 0.003 <= spent_s(clock, child) - before_s < 0.009


def test_it_agrees_with_what_the_process_says_of_itself(start_child):
    child, clock = start_child(BURN), ProcessClock()
    began_s, (before,) = spent_s(clock, child), child.do("print(time.process_time())")
    for _ in range(10):
        child.do("burn(0.004); time.sleep(0.02)")
    now_s, (after,) = spent_s(clock, child), child.do("print(time.process_time())")

    assert now_s - began_s == pytest.approx(float(after) - float(before), abs=0.004)


def test_threads_that_came_and_went_unseen_are_counted_by_the_ticks(start_child):
    child, clock = start_child(BURN), ProcessClock()
    before_s = spent_s(clock, child)
    child.do("brief(0.05, 4)")

    # The clock begins two ticks ahead, and the ticks of the end may be two late: it lacks four at most.
    assert -4.1 / TICKS_PER_S <= spent_s(clock, child) - before_s - 0.2 <= 0.025


def test_over_many_samples_ended_threads_are_lost_by_no_more_than_the_ticks_round_off(start_child):
    child, clock = start_child(BURN), ProcessClock()
    before_s, cpu = spent_s(clock, child), psutil.Process(child.pid)
    before = sum(cpu.cpu_times()[:2])
    readings_s = []
    for _ in range(15):
        child.do("brief(0.005, 4)")
        readings_s.append(spent_s(clock, child))
    counted_s = sum(cpu.cpu_times()[:2]) - before

    assert readings_s == sorted(readings_s)
    assert readings_s[-1] - before_s == pytest.approx(counted_s, abs=2.5 / TICKS_PER_S)


def test_a_thread_that_ends_takes_nothing_away(tick_process):
    clock = ProcessClock()
    first_s = tick_process(clock, 100, t7=400_000_000, t8=600_000_000)
    second_s = tick_process(clock, 100, t7=401_000_000)

    assert second_s - first_s == pytest.approx(0.001)


def test_a_new_thread_counts_in_full_and_so_does_one_with_an_old_id(tick_process):
    clock = ProcessClock()
    first_s = tick_process(clock, 100, t7=1_000_000_000, t8=900_000_000)
    second_s = tick_process(clock, 100, t7=1_000_000_000, t8=2_000_000, t9=3_000_000)

    assert second_s - first_s == pytest.approx(0.005)


def test_by_ticks_alone_the_clock_is_theirs_and_threads_read_later_start_anew(tick_process):
    clock = ProcessClock()
    read_s = [
        tick_process(clock, 100),
        tick_process(clock, 103),
        tick_process(clock, 103, t7=900_000_000_000),
        tick_process(clock, 103, t7=900_004_000_000),
    ]

    assert read_s == pytest.approx([1.0, 1.03, 1.03, 1.034])


def test_without_schedstat_a_thread_is_read_by_its_ticks(write_file, tmp_path):
    write_file("7/task/8/stat", fake_stat(8, 250))
    without = thread_spent_s(7, 8, str(tmp_path))
    write_file("7/task/8/schedstat", "0 0 0\n")

    assert without == thread_spent_s(7, 8, str(tmp_path)) == 250 / TICKS_PER_S


def test_an_ended_thread_has_no_clock(tmp_path):

    assert thread_spent_s(7, 8, str(tmp_path)) is None


def test_all_threads_are_listed_and_none_of_a_process_that_ended(start_child):
    child = start_child(f"{BURN}\nthreading.Thread(target=time.sleep, args=(60,)).start()")
    stat = read_stat(child.pid)
    listed = thread_ids(child.pid, stat)
    child.end()

    assert len(listed) == 2
    assert child.pid in listed
    assert thread_ids(child.pid, stat) == []


def test_a_real_process_agrees_with_psutil_sample_by_sample(start_child):
    child, clock = start_child(BURN), ProcessClock()
    process = psutil.Process(child.pid)
    began, began_s = sum(process.cpu_times()[:2]), spent_s(clock, child)
    for _ in range(20):
        child.do("burn(0.01); time.sleep(0.02)")
        counted_s = sum(process.cpu_times()[:2]) - began

        assert spent_s(clock, child) - began_s == pytest.approx(counted_s, abs=2.1 / TICKS_PER_S)
        time.sleep(0.005)
