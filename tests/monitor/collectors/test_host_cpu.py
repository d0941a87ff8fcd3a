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


def test_no_core_has_less_than_the_mean_where_each_is_rounded_for_itself(write_file, tmp_path):
    cores = row("cpu0", idle=50) + row("cpu1", idle=50)
    found = gauges(
        write_file,
        tmp_path,
        row("cpu ") + row("cpu0") + row("cpu1"),
        row("cpu ", idle=99, softirq=1) + cores,
    )

    assert 0.01 == found["cpu_softirq_ratio"] == found["cpu_softirq_busiest_core_ratio"]


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


def test_time_of_guests_is_in_that_of_users_already(write_file, tmp_path):
    def rows(user, guest):
        return "".join(
            f"{name} {user} 0 0 {user} 0 0 0 0 {guest} {guest}\n" for name in ("cpu", "cpu0")
        )

    assert 0.5 == gauges(write_file, tmp_path, rows(0, 0), rows(100, 500))["cpu_system_ratio"]


@pytest.mark.parametrize(
    ("idle", "iowait", "ratio"), [(100, -50, 0.0), (-50, 100, 0.0), (50, -100, 1.0)]
)
def test_time_that_is_counted_backwards_leaves_a_share(write_file, tmp_path, idle, iowait, ratio):
    def rows(user, idle, iowait):
        return row("cpu", user=user, idle=idle, iowait=iowait) + row("cpu0", user=100)

    before, after = rows(0, 1000, 1000), rows(0 if ratio == 0.0 else 90, 1000 + idle, 1000 + iowait)
    before = before.replace("cpu0 100", "cpu0 0")

    assert ratio == gauges(write_file, tmp_path, before, after)["cpu_system_ratio"]


@pytest.mark.parametrize(("columns", "is_read"), [(8, True), (7, False)])
def test_a_core_has_eight_columns_at_least(columns, is_read):
    text = "cpu " + " ".join(map(str, range(columns))) + "\n"
    if is_read:
        assert {"cpu": list(range(8))} == parse_ticks(text)
    else:
        with pytest.raises(ValueError, match="cpu has 7 numbers, 8 or more"):
            parse_ticks(text)


def test_every_kind_of_time_has_its_column(write_file, tmp_path):
    def rows(*ticks):
        return "".join(f"{name} {' '.join(map(str, ticks))}\n" for name in ("cpu", "cpu0"))

    found = gauges(write_file, tmp_path, rows(*[0] * 8), rows(1, 2, 4, 8, 16, 32, 64, 128))

    assert [(255 - 24) / 255, 64 / 255, 64 / 255, 128 / 255] == list(found.values())


@pytest.mark.parametrize(("total", "core"), [(0, 5), (5, 0), (0, 0)])
def test_without_a_tick_of_the_host_or_of_a_core_there_is_no_share(
    write_file, tmp_path, total, core
):
    """Both are rounded, each for itself."""
    after = row("cpu ", user=total) + row("cpu0", user=core)

    assert {} == gauges(write_file, tmp_path, row("cpu ") + row("cpu0"), after)


def test_a_single_tick_is_enough(write_file, tmp_path):
    before, after = (row("cpu ", user=n) + row("cpu0", user=n) for n in (0, 1))

    assert 1.0 == gauges(write_file, tmp_path, before, after)["cpu_system_ratio"]
