"""Real version 1 cgroups where they may be made; made-up trees for the rest."""

import pytest

from capacity.monitor.limits.cgroups import Cgroup, ancestors

V1_HUGE = "9223372036854771712\n"


@pytest.fixture
def made_up(write_file, tmp_path):
    """A /proc and a mount of one hierarchy below tmp_path."""

    def make(membership, mounts, files):
        mount = tmp_path / "mnt"
        mount.mkdir(exist_ok=True)
        write_file("7/cgroup", membership)
        write_file("self/mountinfo", mounts.replace("@", str(mount)))
        for name, text in files.items():
            write_file(f"mnt/{name}", text)
        return str(tmp_path), mount

    return make


V2_MOUNT = "30 23 0:26 / @ rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNT = "35 31 0:32 / @ rw - cgroup cgroup rw,memory\n"


def test_version_2_ancestors_reach_up_to_the_mount(made_up):
    files = {
        "a/b/memory.max": "max\n",
        "a/b/memory.current": "700\n",
        "a/memory.max": "1000\n",
        "a/memory.current": "900\n",
        "cgroup.procs": "",
    }
    proc, mount = made_up("0::/a/b\n", V2_MOUNT, files)
    groups = ancestors(7, "memory", proc)

    assert [group.path for group in groups] == [f"{mount}/a/b", f"{mount}/a", str(mount)]
    assert [group.limit("memory.max") for group in groups] == [None, 1000, None]
    assert [group.usage("memory.current") for group in groups[:2]] == [700, 900]


def test_a_controller_of_version_1_wins_over_the_unified_hierarchy(made_up):
    files = {"x/memory.limit_in_bytes": "5000\n", "memory.limit_in_bytes": V1_HUGE}
    proc, mount = made_up("4:memory:/x\n1:cpu,cpuacct:/y\n0::/z\n", V1_MOUNT + V2_MOUNT, files)
    groups = ancestors(7, "memory", proc)

    assert [(group.path, group.version) for group in groups] == [(f"{mount}/x", 1), (str(mount), 1)]
    assert [group.limit("memory.max") for group in groups] == [5000, None]
    assert groups[0].file("memory.max") == f"{mount}/x/memory.limit_in_bytes"


def test_controllers_mounted_together_are_both_found(made_up):
    proc, mount = made_up(
        "4:cpu,cpuacct:/x\n", V1_MOUNT.replace("rw,memory", "rw,cpu,cpuacct"), {"x/tasks": ""}
    )

    assert ancestors(7, "cpu", proc)[0].path == f"{mount}/x"
    assert ancestors(7, "cpuacct", proc)[0].path == f"{mount}/x"


def test_a_mount_that_shows_a_subtree_is_counted_from_its_own_root(made_up):
    """A container without a cgroup namespace: the path starts with what the mount shows."""
    mounts = V2_MOUNT.replace(" / @", " /docker/abc @")
    proc, mount = made_up("0::/docker/abc/worker\n", mounts, {"worker/pids.max": "40\n"})
    groups = ancestors(7, "pids", proc)

    assert [group.path for group in groups] == [f"{mount}/worker", str(mount)]
    assert groups[0].limit("pids.max") == 40


def test_a_cgroup_outside_the_namespace_is_unknown_and_not_unlimited(made_up):
    proc, _ = made_up("0::/../other\n", V2_MOUNT, {})
    with pytest.raises(FileNotFoundError) as caught:
        ancestors(7, "memory", proc)

    assert "outside the agent's cgroup namespace" in caught.value.filename


def test_a_cgroup_that_the_mount_does_not_show_is_unknown(made_up):
    proc, _ = made_up("0::/not/here\n", V2_MOUNT, {})
    with pytest.raises(FileNotFoundError) as caught:
        ancestors(7, "memory", proc)

    assert caught.value.filename.endswith("/not/here")


def test_a_hierarchy_without_a_mount_is_unknown(made_up):
    proc, _ = made_up("0::/\n", V1_MOUNT, {})
    with pytest.raises(FileNotFoundError):
        ancestors(7, "memory", proc)


@pytest.mark.parametrize("end", range(len(V2_MOUNT.rstrip())))
def test_a_mount_that_is_read_half_is_no_mount_or_the_same(made_up, end):
    proc, mount = made_up("0::/\n", V2_MOUNT[:end], {})
    try:
        paths = [group.path for group in ancestors(7, "memory", proc)]
    except FileNotFoundError:
        return

    assert end > V2_MOUNT.index("cgroup2 rw")
    assert [str(mount)] == paths


def test_without_the_controller_there_are_no_cgroups(made_up):
    proc, _ = made_up("4:memory:/\n", V1_MOUNT, {})

    assert ancestors(7, "pids", proc) == ()


@pytest.mark.parametrize(
    ("version", "files", "cores"),
    [
        (2, {"cpu.max": "50000 100000\n"}, 0.5),
        (2, {"cpu.max": "400000 100000\n"}, 4.0),
        (2, {"cpu.max": "max 100000\n"}, None),
        (2, {}, None),
        (1, {"cpu.cfs_quota_us": "25000\n", "cpu.cfs_period_us": "100000\n"}, 0.25),
        (1, {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, None),
        (1, {}, None),
    ],
)
def test_quotas_are_in_cores(write_file, tmp_path, version, files, cores):
    for name, text in files.items():
        write_file(name, text)

    assert Cgroup(path=str(tmp_path), version=version).quota_cores() == cores


@pytest.mark.parametrize("text", ["", "lots\n", "1.5\n"])
def test_a_limit_that_is_no_number_is_refused(write_file, tmp_path, text):
    write_file("memory.max", text)
    with pytest.raises(ValueError, match="invalid literal"):
        Cgroup(path=str(tmp_path), version=2).limit("memory.max")


def test_a_real_version_1_cgroup_is_found_with_its_limit(start_child, v1_cgroup):
    child = start_child()
    group = v1_cgroup("memory", child)
    (group / "memory.limit_in_bytes").write_text(str(64 << 20))
    found = ancestors(child.pid, "memory")

    assert found[0].path == str(group)
    assert found[0].limit("memory.max") == 64 << 20
    assert found[-1].limit("memory.max") is None
    assert found[0].quota_file.endswith("cpu.cfs_quota_us")


@pytest.mark.parametrize(
    ("version", "usage", "stat", "expected"),
    [
        (2, "memory.current", "anon 1\nactive_file 200\ninactive_file 300\n", 500),
        (
            1,
            "memory.usage_in_bytes",
            "inactive_file 9\nactive_file 7\ntotal_inactive_file 300\ntotal_active_file 150\n",
            450,
        ),
        (2, "memory.current", "inactive_file 901\nactive_file 100\n", 1000),
    ],
    ids=["version 2", "version 1 with those below", "cache read after the usage"],
)
def test_cache_is_what_is_on_the_lists_of_files(
    write_file, tmp_path, version, usage, stat, expected
):
    write_file(usage, "1000\n")
    write_file("memory.stat", stat)

    found = Cgroup(path=str(tmp_path), version=version).charged_and_cache_bytes()

    assert (1000, expected) == found


@pytest.mark.parametrize("told", ["inactive", "active"])
def test_a_use_without_its_cache_is_an_error(write_file, tmp_path, told):
    write_file("memory.current", "1000\n")
    write_file("memory.stat", f"anon 5\n{told}_file 3\n")
    left_out = {"inactive": "active", "active": "inactive"}[told]

    with pytest.raises(ValueError, match=f"no entry {left_out}_file"):
        Cgroup(path=str(tmp_path), version=2).charged_and_cache_bytes()


def test_a_name_may_have_colons(made_up):
    proc, mount = made_up(
        "0::/a:b:c\n", V2_MOUNT, {"a:b:c/memory.max": "1000\n", "cgroup.procs": ""}
    )

    assert f"{mount}/a:b:c" == ancestors(7, "memory", proc)[0].path
