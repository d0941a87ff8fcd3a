"""The busy share from two readings of /proc/stat."""

import time

import pytest

from capacity.monitor.collectors.host_cpu import HostCpuCollector, busy_and_total_ticks


def stat(user, idle, iowait, steal):
    return f"cpu  {user} 0 0 {idle} {iowait} 0 0 {steal} 99 99\ncpu0 1 1 1 1 1 1 1 1 1 1\n"


@pytest.mark.parametrize(
    ("later", "ratio"),
    [
        ((50, 150, 0, 0), 0.5),
        ((100, 100, 0, 0), 1.0),
        ((0, 150, 50, 0), 0.0),
        ((25, 150, 0, 25), 0.5),
    ],
    ids=["half", "full", "waiting for disks", "stolen"],
)
def test_all_but_idle_and_waiting_is_busy(write_file, tmp_path, later, ratio):
    write_file("stat", stat(0, 100, 0, 0))
    collector = HostCpuCollector(str(tmp_path))
    first = collector.collect()
    write_file("stat", stat(*later))

    assert "needs two" in first.missing["cpu_system_ratio"]
    assert collector.collect().gauges == {"cpu_system_ratio": ratio}


def test_two_readings_within_a_tick_have_no_ratio(write_file, tmp_path):
    write_file("stat", stat(1, 1, 1, 1))
    collector = HostCpuCollector(str(tmp_path))
    collector.collect()

    assert "no tick" in collector.collect().missing["cpu_system_ratio"]


def test_a_busy_core_shows_on_the_real_host():
    collector = HostCpuCollector()
    collector.collect()
    end_s = time.monotonic() + 0.3
    while time.monotonic() < end_s:
        pass

    assert 0.1 < collector.collect().gauges["cpu_system_ratio"] <= 1.0


@pytest.mark.parametrize(
    "text", ["", "intr 1 2 3 4 5 6 7 8\n", "cpu 1 2 3\n", "cpu a b c d e f g h\n"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"first line|invalid literal"):
        busy_and_total_ticks(text)
