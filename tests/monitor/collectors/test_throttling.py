"""A real quota that a busy child runs into, and version 2 from files."""

import pytest

from capacity.monitor.collectors.throttling import ThrottlingCollector

BURN = (
    "import time\ndef burn(s):\n    e = time.monotonic() + s\n    while time.monotonic() < e: pass"
)


def collected(target):
    collector = ThrottlingCollector()
    assert list(collector.limits(target)) == []
    return collector.collect(target)


def test_a_quota_of_a_tenth_throttles_a_busy_child_in_every_period(start_child, view, v1_cgroup):
    child = start_child(BURN)
    group = v1_cgroup("cpu", child)
    (group / "cpu.cfs_period_us").write_text("50000")
    (group / "cpu.cfs_quota_us").write_text("5000")
    child.do("burn(0.5)")
    counters = collected(view(child.pid)).counters

    assert counters["cpu_throttled_periods"] >= 0.7 * counters["cpu_periods"] > 4
    assert counters["cpu_throttled_s"] == pytest.approx(0.45, abs=0.2)


def test_the_smallest_quota_above_the_target_is_the_one_that_throttles(v2_cgroups, write_file):
    write_file("mnt/a/b/cpu.max", "200000 100000\n")
    write_file("mnt/a/cpu.max", "50000 100000\n")
    write_file("mnt/a/b/cpu.stat", "usage_usec 1\nnr_periods 1\nnr_throttled 1\nthrottled_usec 1\n")
    write_file(
        "mnt/a/cpu.stat", "usage_usec 1\nnr_periods 9\nnr_throttled 4\nthrottled_usec 2500000\n"
    )

    assert collected(v2_cgroups).counters == {
        "cpu_periods": 9,
        "cpu_throttled_periods": 4,
        "cpu_throttled_s": 2.5,
    }


def test_without_a_quota_nothing_is_throttled_and_nothing_is_zero(v2_cgroups):
    reading = collected(v2_cgroups)

    assert not reading.counters
    assert "no cgroup of the target has a quota" in reading.missing["cpu_throttled_s"]


def test_a_cgroup_out_of_sight_has_its_reason(v2_cgroups, write_file):
    write_file("7/cgroup", "0::/../elsewhere\n")

    assert "cgroup namespace" in collected(v2_cgroups).missing["cpu_periods"]


def test_a_version_1_cgroup_counts_in_nanoseconds(write_file, tmp_path, view):
    (tmp_path / "mnt/a").mkdir(parents=True)
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/cgroup", "4:cpu:/a\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup cgroup rw,cpu\n")
    write_file("mnt/a/cpu.cfs_quota_us", "50000\n")
    write_file("mnt/a/cpu.cfs_period_us", "100000\n")
    write_file("mnt/a/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 2500000000\n")

    assert 2.5 == collected(view(7, proc=str(tmp_path))).counters["cpu_throttled_s"]
