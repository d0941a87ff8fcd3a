"""Mappings that a real process made, against what the kernel lets it have."""

import os
from pathlib import Path

import pytest

from capacity.domain.resources import Resource
from capacity.monitor.collectors import memory_maps as module
from capacity.monitor.collectors.memory_maps import MemoryMapsCollector

MAP = """
import mmap
held = []
def take(n):
    for number in range(n):
        # Neighbours of different protection are not merged into one.
        held.append(mmap.mmap(-1, 4096, prot=mmap.PROT_READ | (mmap.PROT_WRITE if number % 2 else 0)))
"""
THREADS = """
import threading, time
def start(n):
    for _ in range(n): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""


@pytest.fixture
def collector(monkeypatch):
    monkeypatch.setattr(module, "_EVERY_S", 0.0)
    monkeypatch.setattr(module, "_COST_RATIO", 1e9)
    return MemoryMapsCollector()


def maps(collector, target):
    return collector.collect(target).used[Resource.MEMORY_MAPS]


def test_every_mapping_counts(collector, start_child, view):
    child = start_child(MAP)
    before = maps(collector, view(child.pid))
    child.do("take(500)")
    after = maps(collector, view(child.pid))

    assert after == len(Path(f"/proc/{child.pid}/maps").read_text().splitlines())
    assert 500 <= after - before <= 502


def test_a_thread_takes_two(collector, start_child, view):
    child = start_child(THREADS)
    child.do("start(20)")  # The first ones take heaps of their own as well, up to 8 a core.
    before = maps(collector, view(child.pid))
    child.do("start(100)")

    assert maps(collector, view(child.pid)) - before == pytest.approx(200, abs=10)


def test_the_process_with_most_speaks_for_all(collector, start_child, view):
    one, other = start_child(MAP), start_child(MAP)
    one.do("take(100)")

    assert maps(collector, view(one.pid, other.pid)) == maps(collector, view(one.pid))


def test_the_limit_is_each_process_own(bystander, view):
    (limit,) = MemoryMapsCollector().limits(view(bystander.pid))

    assert limit.scope == "process"
    assert limit.value == int(Path("/proc/sys/vm/max_map_count").read_text())


def test_a_target_that_ended_is_refused_and_not_zero(collector, start_child, view):
    child = start_child()
    gone = view(child.pid)
    child.end()
    with pytest.raises((FileNotFoundError, ProcessLookupError)):
        collector.collect(gone)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_what_nobody_may_not_see_is_refused_and_not_zero(collector, bystander, view, as_nobody):
    with pytest.raises(PermissionError):
        as_nobody(lambda: collector.collect(view(bystander.pid)))


def test_a_reading_comes_every_two_seconds_or_takes_a_two_thousandth_of_a_core():
    pace = MemoryMapsCollector()._pace

    assert (2.0, 0.0005) == (pace.interval_s, pace._cost_ratio)
