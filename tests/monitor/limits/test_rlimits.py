"""The limits of real children, and texts that are not as documented."""

import resource

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.limits.rlimits import (
    rlimit_entries,
    soft_open_files,
    tightest_process_limit,
)

SET = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (321, 654))"


def test_the_soft_limit_is_the_childs_own(start_child):
    assert soft_open_files(start_child(SET).pid) == 321


def test_unlimited_is_no_number(write_file, tmp_path):
    write_file(
        "7/limits", "Max open files            unlimited            unlimited            files\n"
    )

    assert soft_open_files(7, str(tmp_path)) is None


@pytest.mark.parametrize(
    "text", ["", "Max processes 1 1 processes\n", "Max open files many 1 files\n"]
)
def test_anything_else_is_refused(write_file, tmp_path, text):
    write_file("7/limits", text)
    with pytest.raises(ValueError, match="no line 'Max open files'"):
        soft_open_files(7, str(tmp_path))


def test_of_a_tree_the_audit_shows_the_tightest(start_child, view):
    loose = start_child(SET.replace("321", "500"))
    tight = start_child(SET)
    entries = {entry.name: entry for entry in rlimit_entries(view(loose.pid, tight.pid))}

    assert entries["RLIMIT_NOFILE"].value == 321
    assert f"/{tight.pid}/" in entries["RLIMIT_NOFILE"].source
    assert entries["RLIMIT_NOFILE (hard)"].value == 654
    assert entries["RLIMIT_NOFILE"].resource is Resource.DESCRIPTORS


def test_every_limit_that_getrlimit_knows_is_the_same_there(start_child, view):
    child = start_child("import resource; resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, -1))")
    entries = {entry.name: entry for entry in rlimit_entries(view(child.pid))}

    assert entries["RLIMIT_STACK"].value == 1 << 20
    for name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_MEMLOCK"):
        soft, _hard = resource.prlimit(child.pid, getattr(resource, name))
        assert entries[name].value == (None if soft == resource.RLIM_INFINITY else soft)


def test_a_tree_that_ended_has_unknown_limits(start_child, view):
    child = start_child()
    gone = view(child.pid)
    child.end()

    assert {entry.state for entry in rlimit_entries(gone)} == {LimitState.UNKNOWN}


def test_one_that_ended_does_not_hide_the_others(start_child, view):
    stays, goes = start_child(SET), start_child()
    both = view(goes.pid, stays.pid)
    goes.end()
    pid, _limit = tightest_process_limit(both)
    entries = {entry.name: entry.value for entry in rlimit_entries(both)}

    assert (entries["RLIMIT_NOFILE"], pid in both.stats) == (321, True)


def test_a_process_that_is_gone_has_no_limit():
    with pytest.raises(FileNotFoundError):
        soft_open_files(2**22 + 1)
