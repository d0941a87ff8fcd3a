"""Burnt processor time against what the processes themselves counted."""

import time
from types import SimpleNamespace

import psutil
import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import cpu as module
from capacity.monitor.collectors.cpu import CpuCollector

BURN = """
import time
def burn(s):
    end = time.process_time() + s
    while time.process_time() < end: pass
"""
BURNT_S = 0.3
ENOUGH_S = 0.07
SLACK_S = 0.03
"""Three ticks: what starting and ending take, and how finely the kernel counts."""
FORK = "import os\npid = os.fork() or (burn({}), os._exit(0))\nos.waitpid(pid, 0)"


def spent_while(children, view, line):
    """Return the least and the most that was spent meanwhile, in CPU seconds, and the reading.

    The time between two readings is known no better than by clocks around it.
    """
    collector = CpuCollector()
    pids = [child.pid for child in children]
    before_s = time.monotonic()
    collector.collect(view(*pids))
    began_s = time.monotonic()
    for child in children:
        child.do(line)
    ended_s = time.monotonic()
    reading = collector.collect(view(*pids))
    cores = reading.used[Resource.CPU]
    return cores * (ended_s - began_s), cores * (time.monotonic() - before_s), reading


def test_burnt_seconds_are_found(start_child, view):
    least_s, most_s, _reading = spent_while([start_child(BURN)], view, "burn(0.3)")

    assert least_s - SLACK_S <= BURNT_S <= most_s + SLACK_S


def test_sleeping_costs_nothing(start_child, view):
    least_s, _most_s, _reading = spent_while([start_child(BURN)], view, "time.sleep(0.2)")

    assert least_s <= SLACK_S


def test_the_first_reading_of_a_target_has_no_rate_and_says_so(start_child, view):
    collector, child = CpuCollector(), start_child()
    first = collector.collect(view(child.pid))
    restarted = collector.collect(view(child.pid, started_at=2.0))

    for reading in (first, restarted):
        assert Resource.CPU not in reading.used
        assert "a rate needs two" in reading.missing[Resource.CPU]
        assert reading.gauges["processes"] == 1


def test_processes_are_summed(start_child, view):
    children = [start_child(BURN) for _ in range(2)]
    least_s, most_s, reading = spent_while(children, view, "burn(0.15)")

    assert least_s - SLACK_S <= BURNT_S <= most_s + SLACK_S
    assert reading.gauges["processes"] == 2


def own_s(child):
    return sum(psutil.Process(child.pid).cpu_times()[:2])


def test_an_exited_child_takes_nothing_away(start_child, view):
    collector = CpuCollector()
    stays, goes = start_child(BURN), start_child(f"{BURN}\nburn(0.2)")
    before_s = time.monotonic()
    collector.collect(view(stays.pid, goes.pid))
    had_s = own_s(stays)
    goes.end()
    stays.do("burn(0.1)")
    burnt_s = own_s(stays) - had_s
    reading = collector.collect(view(stays.pid))
    elapsed_s = time.monotonic() - before_s

    # What the other one had used by then is twice as much: taken away, it would leave less than none.
    assert reading.used[Resource.CPU] * elapsed_s >= burnt_s - SLACK_S
    assert burnt_s >= ENOUGH_S  # Of a tenth.
    assert reading.gauges["processes"] == 1


def test_what_a_reaped_child_used_is_not_the_parents(start_child, view):
    line = f"exec({FORK.format(0.2)!r})"
    least_s, _most_s, _reading = spent_while([start_child(BURN)], view, line)

    assert least_s <= SLACK_S


def test_the_host_has_the_last_word_without_quota_and_affinity(start_child, view):
    child = start_child()
    (limit,) = CpuCollector().limits(view(child.pid))

    assert limit.state is LimitState.KNOWN
    assert limit.value == len(psutil.Process(child.pid).cpu_affinity())


def test_the_affinity_of_the_tree_limits_it(start_child, view):
    one = start_child("import os; os.sched_setaffinity(0, {0})")
    (limit,) = CpuCollector().limits(view(one.pid))

    if (psutil.cpu_count() or 1) > 1:
        assert (limit.value, limit.scope) == (1.0, "process")
        assert "Cpus_allowed_list" in limit.source
    both = CpuCollector().limits(view(one.pid, start_child().pid))
    assert both[0].value == len(psutil.Process().cpu_affinity())


def test_a_quota_below_the_cores_is_the_limit(start_child, view, v1_cgroup):
    child = start_child()
    group = v1_cgroup("cpu", child)
    (group / "cpu.cfs_period_us").write_text("100000")
    (group / "cpu.cfs_quota_us").write_text("40000")
    (limit,) = CpuCollector().limits(view(child.pid))

    assert (limit.value, limit.scope) == (0.4, "cgroup")
    assert limit.source == f"{group}/cpu.cfs_quota_us"


def test_a_version_2_quota_of_an_ancestor_is_the_limit(write_file, tmp_path, view):
    (tmp_path / "mnt/a/b").mkdir(parents=True)
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/cgroup", "0::/a/b\n")
    write_file("7/status", "Name:\tn\nCpus_allowed_list:\t0-63\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup2 cgroup2 rw\n")
    write_file("mnt/a/cpu.max", "15000 100000\n")
    (limit,) = CpuCollector().limits(view(7, proc=str(tmp_path)))

    assert (limit.value, limit.source) == (0.15, f"{tmp_path}/mnt/a/cpu.max")


@pytest.mark.parametrize("status", ["Name:\tn\n", "Cpus_allowed_list:\tall\n"])
def test_an_unreadable_limit_is_unknown(write_file, tmp_path, view, status):
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/cgroup", "")
    write_file("7/status", status)
    (limit,) = CpuCollector().limits(view(7, proc=str(tmp_path)))

    assert limit.state is LimitState.UNKNOWN


def test_a_target_that_ended_meanwhile_has_an_unknown_limit(start_child, view):
    child = start_child()
    gone = view(child.pid)
    child.end()
    (limit,) = CpuCollector().limits(gone)

    assert limit.state is LimitState.UNKNOWN


def clocked(monkeypatch, *samples):
    """Return the cores in use of two processes by what their clocks say, sample by sample."""
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    monkeypatch.setattr(module, "thread_ids", lambda pid, _stat, _proc: (pid,))
    spent, threads_read = {}, []

    class Clock:
        def read(self, pid, _stat, threads, _proc):
            threads_read.append(threads)
            return spent[pid]

    monkeypatch.setattr(module, "ProcessClock", Clock)
    collector, found = CpuCollector(), []
    for passed_s, started_at, threads, now in samples:
        clock.now_s += passed_s
        spent.update(now)
        stats = {pid: SimpleNamespace(started_ticks=1, threads=threads) for pid in now}
        view = SimpleNamespace(stats=stats, started_at=started_at, proc="/proc")
        found.append(collector.collect(view).used.get(Resource.CPU))
    return found, threads_read


def test_cores_are_what_those_spent_that_were_there_before_over_what_has_passed(monkeypatch):
    found, _threads = clocked(
        monkeypatch,
        (0.0, 1.0, 1, {7: 10.0}),
        (2.0, 1.0, 1, {7: 11.0, 8: 50.0}),
        (4.0, 1.0, 1, {7: 12.0, 8: 51.0}),
        (1.0, 2.0, 1, {7: 13.0, 8: 52.0}),
        (1.0, 2.0, 1, {8: 52.5}),
    )

    assert [None, 0.5, 0.5, None, 0.5] == found


@pytest.mark.parametrize(("threads", "are_read"), [(128, True), (129, False)])
def test_up_to_256_threads_of_all_processes_are_read_one_by_one(monkeypatch, threads, are_read):
    _found, read = clocked(monkeypatch, (0.0, 1.0, threads, {7: 1.0, 8: 1.0}))

    assert ([(7,), (8,)] if are_read else [(), ()]) == read
