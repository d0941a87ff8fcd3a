"""Switches that real threads made, and threads that come, go and give their id away."""

import pytest

from capacity.monitor.collectors import context_switches as module
from capacity.monitor.collectors.context_switches import ContextSwitchesCollector

NAP = """
import time, threading
def nap(n):
    for _ in range(n): time.sleep(0.0005)
def nap_aside(n):
    thread = threading.Thread(target=nap, args=(n,)); thread.start(); thread.join()
"""
STATUS = "Name:\tn\nvoluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n"


@pytest.fixture
def collector(monkeypatch):
    monkeypatch.setattr(module, "_EVERY_S", 0.0)
    monkeypatch.setattr(module, "_COST_RATIO", 1e9)
    return ContextSwitchesCollector()


def involuntary(reading):
    return reading.counters["context_switches_involuntary"]


def voluntary(reading):
    return reading.counters["context_switches_voluntary"]


def test_every_nap_is_a_voluntary_switch(collector, start_child, view):
    child = start_child(NAP)
    before = voluntary(collector.collect(view(child.pid)))
    child.do("nap(200)")

    assert 200 <= voluntary(collector.collect(view(child.pid))) - before < 260


def test_the_count_never_falls_when_threads_and_processes_end(collector, start_child, view):
    stays, goes = start_child(NAP), start_child(NAP)
    goes.do("nap(100)")
    both = voluntary(collector.collect(view(stays.pid, goes.pid)))
    goes.end()
    stays.do("nap_aside(50)")
    one = voluntary(collector.collect(view(stays.pid)))

    assert both <= one


@pytest.fixture
def made_up(write_file, tmp_path, view):
    def make(voluntary, involuntary, thread=7):
        write_file("7/stat", "7 (n) S 1 " + "0 " * 15 + "1 " + "0 " * 20)
        write_file(f"7/task/{thread}/status", STATUS.format(voluntary, involuntary))
        return view(7, proc=str(tmp_path))

    return make


def test_a_thread_id_that_was_given_away_counts_anew(collector, made_up):
    totals = [
        voluntary(collector.collect(made_up(*counts))) for counts in ((50, 5), (60, 6), (3, 0))
    ]

    assert totals == [50, 60, 63]


def test_those_that_were_taken_are_counted_apart(collector, made_up):
    totals = [
        involuntary(collector.collect(made_up(*counts))) for counts in ((50, 5), (60, 6), (3, 0))
    ]

    assert totals == [5, 6, 6]


def test_threads_are_counted_together_and_lines_behind_the_counts_do_not_matter(
    collector, made_up, write_file, view, tmp_path
):
    made_up(50, 5)
    made_up(20, 3, thread=8)
    write_file("7/stat", "7 (n) S 1 " + "0 " * 15 + "2 " + "0 " * 20)
    write_file("7/task/7/status", STATUS.format(50, 5) + "a: 1\nb: 2\n")
    reading = collector.collect(view(7, proc=str(tmp_path)))

    assert (70, 8) == (voluntary(reading), involuntary(reading))


def test_a_reading_comes_every_ten_seconds_or_takes_a_two_thousandth_of_a_core():
    pace = ContextSwitchesCollector()._pace

    assert (10.0, 0.0005) == (pace.interval_s, pace._cost_ratio)


def test_a_kernel_that_does_not_count_is_refused(collector, made_up, write_file):
    target = made_up(1, 1)
    write_file("7/task/7/status", "Name:\tn\n")
    with pytest.raises(ValueError, match="context switches"):
        collector.collect(target)


def test_it_is_not_counted_for_every_sample(start_child, view):
    collector, target = ContextSwitchesCollector(), view(start_child().pid)
    first, second = collector.collect(target), collector.collect(target)

    assert set(first.counters) == set(ContextSwitchesCollector.provides)
    assert (second.counters, second.missing) == ({}, {})
