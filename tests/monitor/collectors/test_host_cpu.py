"""Shares of the processors' time from two readings of /proc/stat."""

import time

import pytest

from capacity.monitor.collectors.host_cpu import HostCpuCollector, parse_ticks


def row(name, *, user=0, idle=0, iowait=0, softirq=0, steal=0):
    return f"{name} {user} 0 0 {idle} {iowait} 0 {softirq} {steal} 99 99\n"


def gauges(write_file, tmp_path, before, after):
    write_file("stat", before + "intr 1 2\n")
    collector = HostCpuCollector(str(tmp_path))
    first = collector.collect()
    assert set(first.missing) == set(HostCpuCollector.provides)
    assert all("needs two" in why for why in first.missing.values())
    write_file("stat", after + "intr 3 4\n")
    return collector.collect().gauges


@pytest.mark.parametrize(
    ("later", "ratio"),
    [
        ({"user": 50, "idle": 150}, 0.5),
        ({"user": 100, "idle": 100}, 1.0),
        ({"idle": 150, "iowait": 50}, 0.0),
        ({"user": 25, "idle": 150, "steal": 25}, 0.5),
    ],
    ids=["half", "full", "waiting for disks", "stolen"],
)
def test_all_but_idle_and_waiting_is_busy(write_file, tmp_path, later, ratio):
    before = row("cpu ", idle=100) + row("cpu0", idle=100)
    found = gauges(write_file, tmp_path, before, row("cpu ", **later) + row("cpu0", **later))

    assert found["cpu_system_ratio"] == ratio


def test_what_was_stolen_and_what_interrupts_took_is_shown_apart(write_file, tmp_path):
    after = row("cpu ", idle=100, softirq=60, steal=40) + row("cpu0", idle=100, softirq=60)
    found = gauges(write_file, tmp_path, row("cpu ") + row("cpu0"), after)

    assert found["cpu_softirq_ratio"] == 60 / 200
    assert found["cpu_steal_ratio"] == 40 / 200


def test_the_core_with_most_interrupts_is_not_hidden_by_the_mean(write_file, tmp_path):
    cores = row("cpu0", softirq=90, idle=10) + row("cpu1", idle=100) + row("cpu2")
    after = row("cpu ", softirq=90, idle=110) + cores
    before = row("cpu ") + row("cpu0") + row("cpu1") + row("cpu2")
    found = gauges(write_file, tmp_path, before, after)

    assert found["cpu_softirq_ratio"] == pytest.approx(0.45)
    assert found["cpu_softirq_busiest_core_ratio"] == 0.9


def test_a_core_that_came_online_meanwhile_is_left_out(write_file, tmp_path):
    before = row("cpu ") + row("cpu0")
    after = row("cpu ", idle=100) + row("cpu0", idle=100) + row("cpu1", softirq=5)

    assert gauges(write_file, tmp_path, before, after)["cpu_softirq_busiest_core_ratio"] == 0


def test_two_readings_within_a_tick_have_no_ratio(write_file, tmp_path):
    write_file("stat", row("cpu ", user=1) + row("cpu0", user=1))
    collector = HostCpuCollector(str(tmp_path))
    collector.collect()

    assert "no tick" in collector.collect().missing["cpu_system_ratio"]


def test_a_busy_core_shows_on_the_real_host():
    collector = HostCpuCollector()
    collector.collect()
    end_s = time.monotonic() + 0.3
    while time.monotonic() < end_s:
        pass
    found = collector.collect().gauges

    assert 0.1 < found["cpu_system_ratio"] <= 1.0
    assert found["cpu_softirq_busiest_core_ratio"] >= found["cpu_softirq_ratio"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first line"),
        ("intr 1 2 3 4 5 6 7 8\n", "first line"),
        ("cpu 1 2 3\n", "8 or more"),
        ("cpu a b c d e f g h\n", "invalid literal"),
    ],
)
def test_anything_else_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        parse_ticks(text)
