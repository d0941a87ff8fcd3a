"""Made-up hierarchies of both versions, and a real cgroup with a real child in it."""

import re
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.monitor.host.cgroup_members import ROOT, cgroup_members, unit_members


@pytest.fixture
def hierarchy(tmp_path, write_file):
    def make(top, groups):
        write_file(f"{top}cgroup.procs", "1\n")
        for path, pids in groups.items():
            write_file(f"{top}{path}/cgroup.procs", "".join(f"{pid}\n" for pid in pids))
        return tmp_path

    return make


@pytest.fixture(params=["unified", "version 1"])
def groups(request, hierarchy, write_file):
    units = {
        "system.slice/market.service": [10, 11],
        "system.slice/market.service/workers": [12, 0],
        "system.slice/other.service": [20],
        "system.slice/system-feed.slice/feed@a.service": [30],
        "user.slice/user-1.slice/dup.service": [40],
        "user.slice/user-2.slice/dup.service": [41],
        "system.slice/idle.service": [],
    }
    if request.param == "unified":
        write_file("cgroup.controllers", "cpu memory\n")
        return hierarchy("", units)
    hierarchy("memory/", {"system.slice/market.service": [10, 11, 12]})
    return hierarchy("systemd/", units)


@pytest.mark.parametrize(
    ("unit", "pids"),
    [
        ("market.service", {10, 11, 12}),
        ("market", {10, 11, 12}),
        ("feed@a", {30}),
        ("system-feed.slice", {30}),
        ("idle", set()),
    ],
)
def test_a_unit_is_found_by_the_name_of_its_cgroup(groups, unit, pids):
    assert unit_members(unit, groups) == pids


def test_a_unit_that_does_not_run_is_an_error_with_a_remedy(groups):
    with pytest.raises(UnreachableError, match=r"no unit absent\.service is running.*systemctl"):
        unit_members("absent", groups)


def test_a_unit_of_several_users_is_listed(groups):
    with pytest.raises(ConfigError) as caught:
        unit_members("dup", groups)

    assert str(caught.value) == (
        "--unit dup is 2 cgroups: /user.slice/user-1.slice/dup.service, "
        "/user.slice/user-2.slice/dup.service; choose one with --cgroup"
    )


def test_a_cgroup_holds_what_is_in_it_and_below(groups):
    path = "/system.slice/market.service"

    assert cgroup_members(path, groups) == {10, 11, 12}
    assert cgroup_members("system.slice/market.service/workers", groups) == {12}
    assert cgroup_members("/user.slice/user-2.slice", groups) == {41}


def test_a_cgroup_may_be_named_by_its_directory(groups):
    [place] = groups.rglob("workers")

    assert cgroup_members(str(place), groups) == {12}


@pytest.mark.parametrize("path", ["/", "", "/a/../../etc"])
def test_a_path_that_is_no_cgroup_is_refused(groups, path):
    with pytest.raises(ConfigError, match="must be the path of a cgroup below the root"):
        cgroup_members(path, groups)


def test_a_cgroup_that_is_not_there_is_an_error_with_a_remedy(groups):
    with pytest.raises(UnreachableError, match=re.escape("no cgroup /absent below")):
        cgroup_members("/absent", groups)


def test_half_a_line_and_a_missing_file_are_no_members(groups):
    [procs] = groups.rglob("other.service/cgroup.procs")
    procs.write_text("2x\n")
    assert unit_members("other", groups) == set()
    procs.unlink()

    assert unit_members("other", groups) == set()


def test_without_any_hierarchy_there_is_no_unit(tmp_path):
    with pytest.raises(UnreachableError):
        unit_members("x", tmp_path / "absent")


def test_a_real_child_is_found_by_its_unit(start_child, wait_until):
    top = next((top for top in (ROOT / "systemd", ROOT) if (top / "cgroup.procs").exists()), None)
    child = start_child()
    name = f"capacity-test-{child.pid}.service"
    group = Path(top or ROOT) / name
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        (group / "cgroup.procs").write_text(str(child.pid))

        assert unit_members(name) == {child.pid}
        assert cgroup_members(f"/{name}") == {child.pid}
    finally:
        child.end()
        wait_until(lambda: not (group / "cgroup.procs").read_text().strip())
        group.rmdir()
