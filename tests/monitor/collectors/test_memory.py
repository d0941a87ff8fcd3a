"""Memory touched by a real child, in and out of a real cgroup, and made-up hierarchies."""

import psutil
import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.domain.sample import RESIDENT, MemoryReading
from capacity.monitor.collectors.memory import MemoryCollector

MIB = 1 << 20
TOUCH = "blocks = bytearray(b'x') * ({} << 20)"


def collected(target):
    collector = MemoryCollector()
    limits = {limit.resource: limit for limit in collector.limits(target)}
    reading = collector.collect(target)
    limits |= {limit.resource: limit for limit in reading.limits}
    return reading, limits[Resource.MEMORY]


def test_touched_memory_is_resident(start_child, view):
    child = start_child()
    before, limit = collected(view(child.pid))
    child.do(TOUCH.format(30))
    after, _ = collected(view(child.pid))
    grown = after.gauges["resident_bytes"] - before.gauges["resident_bytes"]

    assert grown == pytest.approx(30 * MIB, rel=0.05)
    if limit.scope == "host":
        assert after.used[Resource.MEMORY] == after.gauges["resident_bytes"]
        assert limit.value == psutil.virtual_memory().total
        assert "MemTotal" in limit.source


def test_resident_memory_is_summed_over_the_tree(start_child, view):
    one, two = start_child(TOUCH.format(10)), start_child(TOUCH.format(20))
    alone, _ = collected(view(one.pid))
    both, _ = collected(view(one.pid, two.pid))

    assert both.gauges["resident_bytes"] - alone.gauges["resident_bytes"] > 20 * MIB


def test_a_limited_cgroup_is_used_as_the_kernel_charges_it_without_cache(
    start_child, view, v1_cgroup
):
    child = start_child()
    group = v1_cgroup("memory", child)
    (group / "memory.limit_in_bytes").write_text(str(128 * MIB))
    child.do(TOUCH.format(24))
    reading, limit = collected(view(child.pid))
    charged = int((group / "memory.usage_in_bytes").read_text())
    charged -= file_bytes(group, "inactive") + file_bytes(group, "active")

    assert (limit.value, limit.scope) == (128 * MIB, "cgroup")
    assert limit.source == f"{group}/memory.limit_in_bytes"
    assert reading.used[Resource.MEMORY] == pytest.approx(charged, abs=MIB)
    assert reading.used[Resource.MEMORY] >= 24 * MIB
    assert reading.memory.account == str(group)
    assert reading.memory.use_bytes == reading.used[Resource.MEMORY]
    assert reading.memory.high_water_bytes >= reading.memory.charged_bytes


def file_bytes(group, kind):
    lines = (group / "memory.stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"total_{kind}_file "))


@pytest.mark.parametrize("reads", [0, 3], ids=["written", "written and read again and again"])
def test_a_file_in_the_cache_takes_no_room(start_child, view, v1_cgroup, tmp_path, reads):
    child = start_child()
    group = v1_cgroup("memory", child)
    (group / "memory.limit_in_bytes").write_text(str(128 * MIB))
    before, _ = collected(view(child.pid))
    child.do(f"f = open({str(tmp_path / 'log')!r}, 'wb'); f.write(bytes(40 << 20)); f.flush()")
    # Pages that are read twice are on the list of active ones.
    child.do(f"[len(open({str(tmp_path / 'log')!r}, 'rb').read()) for _ in range({reads})]")
    after, _ = collected(view(child.pid))
    grown = {
        "charged": after.memory.charged_bytes - before.memory.charged_bytes,
        "used": after.used[Resource.MEMORY] - before.used[Resource.MEMORY],
    }
    if file_bytes(group, "inactive") + file_bytes(group, "active") < 20 * MIB:
        pytest.skip("this file system keeps no page cache")

    assert grown["charged"] > 35 * MIB
    assert grown["used"] < 8 * MIB


@pytest.fixture
def v2(write_file, tmp_path, view):
    (tmp_path / "mnt/a/b").mkdir(parents=True)
    write_file("7/stat", "7 (n) S 1 " + "0 " * 19 + "250 " + "0 " * 20)
    write_file("7/cgroup", "0::/a/b\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup2 cgroup2 rw\n")
    write_file("meminfo", "MemTotal: 1000 kB\n")

    def make(**files):
        for name, text in files.items():
            place, _, file = name.rpartition("__")
            write_file(f"mnt/{place}/memory.{file}", text)
        return view(7, proc=str(tmp_path))

    return make


def test_the_ancestor_with_least_room_counts_not_the_one_with_the_lowest_limit(v2, tmp_path):
    target = v2(
        **{"a/b__max": "1000\n", "a/b__current": "100\n", "a/b__peak": "150\n"},
        a__peak="1990\n",
        **{"a/b__stat": "anon 80\nactive_file 0\ninactive_file 10\n"},
        a__max="2000\n",
        a__current="1950\n",
        a__stat="active_file 100\ninactive_file 50\n",
    )
    reading, limit = collected(target)

    assert (reading.used[Resource.MEMORY], limit.value) == (1800, 2000)
    assert limit.source == f"{tmp_path}/mnt/a/memory.max"
    assert reading.memory == MemoryReading(
        account=f"{tmp_path}/mnt/a", use_bytes=1800, charged_bytes=1950, high_water_bytes=1990
    )


def test_a_kernel_without_a_mark_says_so_and_keeps_the_use(v2):
    reading, _ = collected(
        v2(
            **{"a/b__max": "1000\n", "a/b__current": "100\n"},
            **{"a/b__stat": "anon 80\nactive_file 0\ninactive_file 10\n"},
        )
    )

    assert reading.used[Resource.MEMORY] == 90
    assert reading.memory is None
    assert "memory.peak does not exist" in reading.missing["memory_high_water_bytes"]


def test_what_else_is_in_a_cgroup_without_a_limit_does_not_enter(v2, write_file):
    target = v2(**{"a/b__max": "max\n", "a/b__current": "900000000\n", "a/b__peak": "950000000\n"})
    write_file("7/status", "Name:\tn\nVmHWM:\t     2000 kB\nVmRSS:\t    1000 kB\n")
    reading, limit = collected(target)
    resident = reading.gauges["resident_bytes"]

    assert reading.used[Resource.MEMORY] == resident
    assert reading.memory == MemoryReading(
        account=RESIDENT,
        use_bytes=resident,
        charged_bytes=resident,
        high_water_bytes=2000 * 1024,
    )
    assert (limit.scope, limit.value) == ("host", 1000 * 1024)


def test_the_mark_of_a_process_is_that_of_what_it_had_and_gave_back(start_child, view):
    child = start_child()
    child.do("pass")
    before, limit = collected(view(child.pid))
    child.do(TOUCH.format(30))
    child.do("del blocks")
    after, _ = collected(view(child.pid))
    if limit.scope != "host":
        pytest.skip("the memory of these tests is limited by a cgroup")

    assert after.memory.high_water_bytes - before.memory.use_bytes > 28 * MIB
    assert after.memory.use_bytes - before.memory.use_bytes < 2 * MIB


def test_marks_of_several_processes_are_of_different_moments(start_child, view):
    one, two = start_child(), start_child()
    reading, limit = collected(view(one.pid, two.pid))
    if limit.scope != "host":
        pytest.skip("the memory of these tests is limited by a cgroup")

    assert reading.memory is None
    assert "2 processes" in reading.missing["memory_high_water_bytes"]


def test_a_cgroup_out_of_sight_makes_the_limit_unknown_and_keeps_the_use(v2, write_file):
    target = v2()
    write_file("7/cgroup", "0::/../elsewhere\n")
    reading, limit = collected(target)

    assert limit.state is LimitState.UNKNOWN
    assert "outside the agent's cgroup namespace" in limit.reason
    assert reading.used[Resource.MEMORY] == reading.gauges["resident_bytes"] > 0


def test_without_a_memory_controller_the_host_is_the_limit(v2, write_file):
    target = v2()
    write_file("7/cgroup", "")
    _, limit = collected(target)

    assert (limit.scope, limit.value) == ("host", 1000 * 1024)


def test_a_host_that_does_not_say_its_memory_is_an_unknown_limit(v2, write_file):
    target = v2()
    write_file("meminfo", "Buffers: 1 kB\n")

    assert collected(target)[1].state is LimitState.UNKNOWN


def test_room_is_what_the_use_leaves_whatever_the_cache_takes(v2):
    """Of the first nine tenths are cache, of the second a tenth."""
    target = v2(
        **{"a/b__max": "1000\n", "a/b__current": "950\n", "a/b__peak": "900\n"},
        **{"a/b__stat": "active_file 50\ninactive_file 800\n"},
        a__max="900\n",
        a__current="500\n",
        a__stat="active_file 20\ninactive_file 30\n",
        a__peak="499\n",
    )
    reading, limit = collected(target)

    assert (450, 900) == (reading.used[Resource.MEMORY], limit.value)
    assert (450, 500, 500) == (
        reading.memory.use_bytes,
        reading.memory.charged_bytes,
        reading.memory.high_water_bytes,
    )


def test_the_mark_of_a_process_is_no_less_than_what_it_has(v2, write_file):
    target = v2()
    resident_bytes = target.stats[7].resident_bytes
    marks = []
    for mark_kib in (1, 5_000):
        write_file("7/status", f"VmHWM:\t{mark_kib} kB\n")
        marks.append(collected(target)[0].memory.high_water_bytes)

    assert [resident_bytes, 5_000 * 1024] == marks
    assert 1_000_000 < resident_bytes < 5_000 * 1024
