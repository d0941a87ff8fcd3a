"""The limits of real children, and texts that are not as documented."""

import resource

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.limits.rlimits import (
    EXEMPT,
    read_rlimits,
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


FIRST, CONTAINER = "0 0 4294967295\n", "0 100000 65536\n"


@pytest.fixture
def planted(write_file, tmp_path, view):
    """A target of processes that exist in /proc alone, by their lines of limits."""

    def make(limits, *, uid=1000, capabilities="0", ours=FIRST, theirs=FIRST):
        for pid, lines in limits.items():
            write_file(f"{pid}/stat", f"{pid} (n) S 1 " + "0 " * 15 + "1 " + "0 " * 20)
            write_file(f"{pid}/limits", "".join(f"{line} x\n" for line in lines))
            write_file(f"{pid}/status", f"Uid:\t{uid}\t{uid}\nCapEff:\t{capabilities}\n")
            if theirs is not None:
                write_file(f"{pid}/uid_map", theirs)
        if ours is not None:
            write_file("self/uid_map", ours)
        return view(*limits, proc=str(tmp_path))

    return make


@pytest.mark.parametrize(
    ("known", "is_exempt"),
    [
        ({}, False),
        ({"uid": 0}, True),
        ({"uid": 0, "ours": None}, True),
        ({"uid": 0, "ours": "0 0 1\n"}, True),
        ({"uid": 0, "ours": CONTAINER}, False),
        ({"uid": 10}, False),
        ({"capabilities": f"{1 << 21:x}"}, True),
        ({"capabilities": f"{1 << 24:x}"}, True),
        ({"capabilities": f"{(1 << 41) - 1:x}"}, True),
        ({"capabilities": f"{(1 << 41) - 1 - (1 << 21) - (1 << 24):x}"}, False),
        ({"capabilities": f"{1 << 21:x}", "theirs": None}, True),
        ({"capabilities": f"{1 << 21:x}", "theirs": CONTAINER}, False),
    ],
)
def test_root_and_who_is_privileged_in_the_first_namespace_have_no_limit_of_processes(
    planted, known, is_exempt
):
    """CAP_SYS_ADMIN (21) and CAP_SYS_RESOURCE (24) of capabilities(7)."""
    target = planted({7: ["Max processes  50  60"]}, **known)
    entries = {entry.name: entry for entry in rlimit_entries(target)}

    assert (7, None if is_exempt else 50) == tightest_process_limit(target)
    assert (None if is_exempt else 50) == entries["RLIMIT_NPROC"].value
    assert is_exempt is entries["RLIMIT_NPROC"].source.endswith(EXEMPT)


def test_soft_and_hard_limits_are_the_tightest_of_each_kind(planted):
    target = planted(
        {
            7: ["Max open files  100  900", "Max stack size  unlimited  unlimited"],
            8: ["Max open files  200  300", "Max stack size  8192  unlimited"],
            9: ["Max open files  unlimited  unlimited"],
        }
    )
    entries = {entry.name: entry for entry in rlimit_entries(target)}

    assert {
        name: (entries[name].value, entries[name].source.rpartition("/limits: ")[2])
        for name in ("RLIMIT_NOFILE", "RLIMIT_NOFILE (hard)", "RLIMIT_STACK")
    } == {
        "RLIMIT_NOFILE": (100, "Max open files (soft)"),
        "RLIMIT_NOFILE (hard)": (300, "Max open files (hard)"),
        "RLIMIT_STACK": (8192, "Max stack size (soft)"),
    }
    assert "/8/limits" in entries["RLIMIT_STACK"].source
    assert (200, 300) == read_rlimits(8, target.proc)["Max open files"]
    assert LimitState.UNKNOWN is entries["RLIMIT_AS"].state


def test_the_fewest_processes_that_any_may_have_count(planted):
    target = planted({7: ["Max processes  50  60"], 8: ["Max processes  40  60"]})

    assert (8, 40) == tightest_process_limit(target)


def test_a_status_without_its_field_is_refused(planted, write_file):
    target = planted({7: ["Max processes  50  60"]})
    write_file("7/status", "Uid:\nCapEff:\t0\n")

    with pytest.raises(ValueError, match="status has no Uid"):
        tightest_process_limit(target)
