"""One entry for every ancestor that sets a limit, real ones and made-up ones."""

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.limits.cgroup_entries import cgroup_entries


def entries(target, name):
    return [entry for entry in cgroup_entries(target) if entry.name == name]


def test_every_ancestor_that_sets_a_limit_has_an_entry(v2_cgroups, write_file, tmp_path):
    write_file("mnt/a/b/pids.max", "max\n")
    write_file("mnt/a/pids.max", "100\n")
    write_file("mnt/pids.max", "200\n")
    found = entries(v2_cgroups, "pids.max")

    assert [(entry.value, entry.source) for entry in found] == [
        (100, f"{tmp_path}/mnt/a/pids.max"),
        (200, f"{tmp_path}/mnt/pids.max"),
    ]
    assert {entry.resource for entry in found} == {Resource.THREADS}


def test_memory_has_a_hard_and_a_soft_limit_and_swap(v2_cgroups, write_file):
    for name, text in {"memory.max": "3000", "memory.high": "2000", "memory.swap.max": "0"}.items():
        write_file(f"mnt/a/b/{name}", text)

    assert entries(v2_cgroups, "memory.max")[0].value == 3000
    assert entries(v2_cgroups, "memory.high")[0].value == 2000
    assert entries(v2_cgroups, "memory.swap.max")[0].value == 0


def test_a_quota_is_in_cores(v2_cgroups, write_file):
    write_file("mnt/a/cpu.max", "50000 200000\n")
    (entry,) = entries(v2_cgroups, "cpu.max")

    assert (entry.value, entry.unit) == (0.25, "cores")


def test_a_hierarchy_without_limits_is_one_entry(v2_cgroups):
    (entry,) = entries(v2_cgroups, "memory.max")

    assert (entry.state, entry.value) == (LimitState.UNLIMITED, None)
    assert entry.source.startswith("none of 3 cgroups")


def test_a_file_that_cannot_be_read_is_unknown_and_hides_no_other(v2_cgroups, write_file):
    write_file("mnt/a/b/pids.max", "lots\n")
    write_file("mnt/a/pids.max", "100\n")

    assert [entry.state for entry in entries(v2_cgroups, "pids.max")] == [
        LimitState.UNKNOWN,
        LimitState.KNOWN,
    ]


def test_a_cgroup_out_of_sight_is_unknown(v2_cgroups, write_file):
    write_file("7/cgroup", "0::/../elsewhere\n")
    found = list(cgroup_entries(v2_cgroups))

    assert {entry.state for entry in found} == {LimitState.UNKNOWN}
    assert all("cgroup namespace" in entry.reason for entry in found)


def test_real_version_1_cgroups_show_what_was_planted(start_child, view, v1_cgroup):
    child = start_child()
    memory, pids = v1_cgroup("memory", child), v1_cgroup("pids", child)
    (memory / "memory.limit_in_bytes").write_text(str(256 << 20))
    (pids / "pids.max").write_text("40")
    (memory_entry,) = entries(view(child.pid), "memory.max")
    (pids_entry,) = entries(view(child.pid), "pids.max")

    assert memory_entry.value == 256 << 20
    assert memory_entry.source == f"{memory}/memory.limit_in_bytes"
    assert (pids_entry.value, pids_entry.source) == (40, f"{pids}/pids.max")
