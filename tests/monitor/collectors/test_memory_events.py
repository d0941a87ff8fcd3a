"""Limits that a real cgroup met, and version 2 from files."""

import pytest

from capacity.monitor.collectors.memory_events import MemoryEventsCollector

EVENTS = "low 0\nhigh 5\nmax 7\noom 2\noom_kill 1\noom_group_kill 0\n"


def collected(target):
    collector = MemoryEventsCollector()
    assert list(collector.limits(target)) == []
    return collector.collect(target)


def test_a_version_1_cgroup_counts_what_it_refused(start_child, view, v1_cgroup):
    child = start_child()
    group = v1_cgroup("memory", child)
    (group / "memory.limit_in_bytes").write_text(str(48 << 20))
    before = collected(view(child.pid)).counters
    # Written file cache is charged, and dropped again at the limit: nobody is killed.
    child.do(
        "import tempfile; f = tempfile.TemporaryFile(dir='/var/tmp'); f.write(bytes(96 << 20))"
    )
    reading = collected(view(child.pid))
    failures = int((group / "memory.failcnt").read_text())

    assert before["cgroup_memory_limit_hits"] == 0
    assert reading.counters == {"cgroup_memory_limit_hits": failures, "cgroup_memory_kills": 0}
    assert failures > 0
    assert "memory.high" in reading.missing["cgroup_memory_high_hits"]


def test_version_2_tells_hits_throttles_and_kills_apart(v2_cgroups, write_file):
    write_file("mnt/a/b/memory.events", EVENTS)

    assert collected(v2_cgroups).counters == {
        "cgroup_memory_limit_hits": 7,
        "cgroup_memory_kills": 1,
        "cgroup_memory_high_hits": 5,
    }


def test_the_nearest_limited_ancestor_is_asked(v2_cgroups, write_file):
    write_file("mnt/a/b/memory.events", EVENTS)
    write_file("mnt/a/memory.max", "1000\n")
    write_file("mnt/a/memory.events", EVENTS.replace("max 7", "max 70"))

    assert collected(v2_cgroups).counters["cgroup_memory_limit_hits"] == 70


def test_without_a_controller_there_is_a_reason(v2_cgroups, write_file):
    write_file("7/cgroup", "")
    reading = collected(v2_cgroups)

    assert set(reading.missing) == set(MemoryEventsCollector.provides)
    assert "no memory controller" in reading.missing["cgroup_memory_kills"]


def test_a_half_written_file_is_no_zero(v2_cgroups, write_file):
    write_file("mnt/a/b/memory.events", "low 0\nhigh")
    collector = MemoryEventsCollector()
    list(collector.limits(v2_cgroups))
    with pytest.raises(ValueError, match="invalid literal"):
        collector.collect(v2_cgroups)
