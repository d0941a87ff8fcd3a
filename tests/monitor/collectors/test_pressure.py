"""Waiting that was really done, and the account of a version 2 cgroup."""

import os
import subprocess
import sys
import time

import pytest

from capacity.monitor.collectors.pressure import PressureCollector, waited_s

TEXT = "some avg10=1.00 avg60=2.00 avg300=3.00 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={}\n"


def collected(target):
    collector = PressureCollector()
    assert list(collector.limits(target)) == []
    return collector.collect(target)


def test_the_total_is_in_seconds():
    assert waited_s(TEXT.format(2_500_000, 1_000_000), "some") == 2.5
    assert waited_s(TEXT.format(2_500_000, 1_000_000), "full") == 1.0


@pytest.mark.parametrize("text", ["", "some avg10=1\n", "full total=1\n", "some total=x\n"])
def test_anything_else_is_no_zero(text):
    with pytest.raises(ValueError, match=r"no total|invalid literal"):
        waited_s(text, "some")


def test_more_work_than_cores_waits(bystander, view):
    if not os.access("/proc/pressure/cpu", os.R_OK):
        pytest.skip("this kernel keeps no account of pressure")
    target = view(bystander.pid)
    before = collected(target).counters["host_cpu_pressure_some_s"]
    line = "import time; e = time.monotonic() + 0.4\nwhile time.monotonic() < e: pass"
    burning = [
        subprocess.Popen([sys.executable, "-ISc", line]) for _ in range((os.cpu_count() or 1) + 2)
    ]
    for each in burning:
        each.wait()
    time.sleep(0.05)

    assert collected(target).counters["host_cpu_pressure_some_s"] - before > 0.1


def test_a_version_2_cgroup_has_an_account_of_its_own(write_file, tmp_path, view):
    (tmp_path / "mnt/a").mkdir(parents=True)
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/cgroup", "4:memory:/x\n0::/a\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup2 cgroup2 rw\n")
    for name, total in {"cpu": 1, "memory": 2, "io": 3}.items():
        write_file(f"pressure/{name}", TEXT.format(total * 10**7, total * 10**6))
        write_file(f"mnt/a/{name}.pressure", TEXT.format(total * 10**5, total * 10**4))
    counters = collected(view(7, proc=str(tmp_path))).counters

    assert counters["host_cpu_pressure_some_s"] == 10
    assert counters["cgroup_cpu_pressure_some_s"] == 0.1
    assert counters["cgroup_memory_pressure_full_s"] == 0.02
    assert counters["cgroup_io_pressure_some_s"] == 0.3


def test_without_a_version_2_cgroup_or_the_account_there_are_reasons(write_file, tmp_path, view):
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/cgroup", "4:memory:/x\n")
    reading = collected(view(7, proc=str(tmp_path)))

    assert set(reading.missing) == set(PressureCollector.provides)
    assert "no version 2 cgroup" in reading.missing["cgroup_cpu_pressure_some_s"]
    assert "does not exist here" in reading.missing["host_cpu_pressure_some_s"]
