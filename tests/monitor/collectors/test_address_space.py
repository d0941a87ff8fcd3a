"""Mappings of real children under real limits, up to where the kernel refuses the next one."""

import mmap

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import address_space as module
from capacity.monitor.collectors.address_space import AddressSpaceCollector

SPACE, SEGMENT = Resource.ADDRESS_SPACE, Resource.DATA_SEGMENT
MIB = 1 << 20
MAP = """
import mmap, resource
held = []
def take(mib, prot=mmap.PROT_READ | mmap.PROT_WRITE):
    held.append(mmap.mmap(-1, mib << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=prot))
def take_all():
    count = 0
    try:
        while True: take(1); count += 1
    except (OSError, MemoryError): print(count)
"""
LIMIT = "import resource; resource.setrlimit(resource.{}, ({} << 20, -1))"


def collected(collector, target):
    reading = collector.collect(target)
    return reading.used, {limit.resource: limit for limit in reading.limits}


@pytest.mark.parametrize(("resource", "name"), [(SPACE, "RLIMIT_AS"), (SEGMENT, "RLIMIT_DATA")])
def test_it_counts_up_to_the_limit_where_the_kernel_refuses(start_child, view, resource, name):
    child = start_child(f"{MAP}\n{LIMIT.format(name, 200)}")
    collector = AddressSpaceCollector()
    before, _ = collected(collector, view(child.pid))
    (taken,) = child.do("take_all()")
    after, limits = collected(collector, view(child.pid))

    assert limits[resource].value == 200 * MIB
    assert after[resource] - before[resource] == pytest.approx(int(taken) * MIB, abs=MIB)
    assert 199 * MIB < after[resource] <= 200 * MIB


def test_what_is_not_writable_is_address_space_and_no_data(start_child, view):
    child = start_child(MAP)
    collector = AddressSpaceCollector()
    before, _ = collected(collector, view(child.pid))
    child.do(f"take(50, {mmap.PROT_READ})")
    after, _ = collected(collector, view(child.pid))

    assert after[SPACE] - before[SPACE] == pytest.approx(50 * MIB, abs=MIB)
    assert after[SEGMENT] - before[SEGMENT] < MIB


def test_a_thread_takes_its_whole_stack_of_both(start_child, view):
    child = start_child("import threading, time\nthreading.stack_size(2 << 20)")
    start = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    child.do(f"for _ in range(20): {start}")  # The first ones take heaps of their own as well.
    before, _ = collected(AddressSpaceCollector(), view(child.pid))
    child.do(f"for _ in range(50): {start}")
    after, _ = collected(AddressSpaceCollector(), view(child.pid))

    for resource in (SPACE, SEGMENT):
        assert (after[resource] - before[resource]) / 50 == pytest.approx(2 * MIB, rel=0.02)


def test_a_process_without_limits_says_so(bystander, view):
    used, limits = collected(AddressSpaceCollector(), view(bystander.pid))

    assert {limit.state for limit in limits.values()} == {LimitState.UNLIMITED}
    assert used[SPACE] > used[SEGMENT] > 0


def test_the_process_nearest_its_limit_counts_not_the_largest(start_child, view):
    near = start_child(LIMIT.format("RLIMIT_AS", 100))
    large = start_child(f"{MAP}\n{LIMIT.format('RLIMIT_AS', 9000)}\ntake(300)")
    both = view(large.pid, near.pid)
    used, limits = collected(AddressSpaceCollector(), both)

    assert used[SPACE] == both.stats[near.pid].virtual_bytes
    assert limits[SPACE].source == f"/proc/{near.pid}/limits: Max address space (soft)"
    assert limits[SPACE].value == 100 * MIB


def test_of_many_processes_the_data_of_the_largest_are_read(start_child, view, monkeypatch):
    monkeypatch.setattr(module, "MOST_READ", 1)
    small, large = [start_child(f"{MAP}\n{LIMIT.format('RLIMIT_DATA', 500)}") for _ in "12"]
    large.do("take(60)")
    used, limits = collected(AddressSpaceCollector(), view(small.pid, large.pid))

    assert used[SEGMENT] > 60 * MIB
    assert str(large.pid) in limits[SEGMENT].source


def test_a_changed_limit_is_read_with_the_next_look_at_limits(start_child, view):
    child, collector = start_child(MAP), AddressSpaceCollector()
    seen = [collected(collector, view(child.pid))[1][SPACE].value]
    child.do(LIMIT.format("RLIMIT_AS", 300))
    seen.append(collected(collector, view(child.pid))[1][SPACE].value)
    assert collector.limits(view(child.pid)) == ()
    seen.append(collected(collector, view(child.pid))[1][SPACE].value)

    assert seen == [None, None, 300 * MIB]


def test_one_that_ended_is_left_out_and_a_target_that_did_is_no_zero(start_child, view):
    stays, goes = start_child(), start_child()
    both, gone = view(goes.pid, stays.pid), view(goes.pid)
    goes.end()
    used, _ = collected(AddressSpaceCollector(), both)

    assert used[SPACE] == both.stats[stays.pid].virtual_bytes
    with pytest.raises(FileNotFoundError):
        AddressSpaceCollector().collect(gone)


@pytest.mark.parametrize(("limit", "read"), [(100, 16), (None, 1)])
def test_the_sixteen_largest_with_a_limit_are_read_or_the_largest_one(monkeypatch, limit, read):
    pids = []

    def read_status(pid, _proc):
        pids.append(pid)
        return {"VmData": [str(pid), "kB"]}

    monkeypatch.setattr(module, "read_status", read_status)
    collector = AddressSpaceCollector()
    collector._limits = {pid: {SEGMENT: limit, SPACE: None} for pid in range(1, 21)}
    segments = collector._data_segments({pid: pid for pid in range(1, 21)}, "/proc")

    assert list(range(20, 20 - read, -1)) == pids
    assert {pid: pid * 1024 for pid in pids} == segments


def test_a_limit_of_nothing_is_the_nearest():
    collector = AddressSpaceCollector()
    collector._limits = {pid: {SPACE: limit} for pid, limit in {1: 0, 2: 2, 3: None}.items()}

    assert 1 == collector._nearest(SPACE, {1: 5, 2: 5, 3: 500})
    assert 2 == collector._nearest(SPACE, {2: 1, 3: 500})
    assert 1 == collector._nearest(SPACE, {1: 5, 2: 9})
