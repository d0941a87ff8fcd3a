"""Names, options, variables and files of processes, made up and real."""

import os

import pytest

from capacity.monitor.limits.applications.process import _root_mount, files_of, names_of, options
from capacity.monitor.limits.applications.settings import UnclearError


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("-c", "5"), [("-c", "5")]),
        (("-c5",), [("-c", "5")]),
        (("--conf=5", "--conf", "6"), [("--conf", "5"), ("--conf", "6")]),
        (("-c",), [("-c", "")]),
        (("--", "-c", "5"), []),
        (("-cc", "x"), [("-c", "c")]),
        (("-c=5",), [("-c", "5")]),
        (("-x", "-c", "5", "-c6"), [("-c", "5"), ("-c", "6")]),
        (("-c", "--conf", "5"), [("-c", "--conf")]),
        (("c=5", "--conf="), [("--conf", "")]),
        (("--config", "5"), []),
    ],
)
def test_an_option_in_its_spellings(words, found):
    assert list(options(words, ("-c", "--conf"))) == found


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("nginx: master process /usr/sbin/nginx",), ("nginx",)),
        (("/usr/sbin/haproxy", "-W"), ("haproxy",)),
        (("/usr/bin/python3.11", "-m", "uvicorn", "a:b"), ("python3.11", "uvicorn")),
        (("python3", "-u", "/usr/bin/gunicorn"), ("python3", "gunicorn")),
        (("python3", "serve.py"), ("python3", "serve")),
        (("python3", "-m"), ("python3",)),
        (("python3", "-m", "a.b.c", "d"), ("python3", "a")),
        (("python3", "-u", "-m", "a", "b"), ("python3", "a")),
        (("python3", "-u"), ("python3",)),
        (("pypy3", "a.py", "b.py"), ("pypy3", "a")),
        (("postgres: writer",), ("postgres",)),
        (("ruby", "serve.rb"), ("ruby",)),
        (("",), ()),
    ],
)
def test_a_program_is_known_by_its_title_file_or_module(made, words, names):
    assert made.process(*words).names == names


def test_only_variables_that_are_asked_for_are_kept(made):
    made.environ |= {"WEB_CONCURRENCY": "3", "PASSWORD": "secret"}
    process = made.process("x")

    assert process.environ(("WEB_CONCURRENCY",)) == {"WEB_CONCURRENCY": "3"}
    assert process.variable("MISSING") is None
    assert "secret" not in f"{process} {process.variable('WEB_CONCURRENCY')}"


@pytest.mark.parametrize(
    ("later_s", "is_said"), [(1.0, False), (1.99, False), (2.0, False), (2.01, True)]
)
def test_a_file_that_was_written_after_the_start_says_so(made, later_s, is_said):
    written_at = 1_800_000_000
    os.utime(made.write("/a", "x\n"), (written_at, written_at))
    process = made.process("x", started_at=written_at - later_s)
    ((_, where),) = process.lines("/a")

    assert where == ("/a:1 (changed after the process started)" if is_said else "/a:1")


def test_the_first_of_the_usual_places_counts(made):
    made.write("/b", "")
    process = made.process("x")

    assert process.first_existing(("/a", "/b")) == "/b"
    with pytest.raises(UnclearError, match="none of the usual places: /a, /c"):
        process.first_existing(("/a", "/c"))


def test_a_real_process_is_known_by_its_program(start_child):
    child = start_child()
    names, words = names_of(child.pid)

    assert names[0].startswith("python")
    assert "-ISc" in words


def test_the_files_of_a_real_process_are_those_of_its_root(start_child, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may change its root")
    (tmp_path / "here").write_text("found")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/link").symlink_to("/here")
    child = start_child(
        f"import os; os.chdir({str(tmp_path / 'etc')!r}); os.chroot({str(tmp_path)!r})"
    )
    files = files_of(child.pid)

    assert files.text("/etc/link") == "found"
    assert files.absolute("link") == "/etc/link"
    assert not files.exists("/etc/passwd")


def test_an_option_is_none_of_the_programs_own_name(made):
    assert made.process("-n5", "x").option("-n") is None
    found = made.process("x", "-n5", "--most=6").option("-n", "--most")

    assert (found.name, found.text) == ("--most", "6")
    assert found.where.endswith("/7/cmdline")


def test_a_variable_says_where_it_stands(made):
    made.environ["MOST"] = "a=b"
    found = made.process("x").variable("MOST")

    assert (found.text, found.where) == ("a=b", f"{made.proc}/7/environ")


def test_lines_have_their_numbers(made):
    made.write("/srv/a", "one\n\nthree")

    assert made.process("x").lines("a") == [
        ("one", "/srv/a:1"),
        ("", "/srv/a:2"),
        ("three", "/srv/a:3"),
    ]
    assert made.process("x").lines("a", "/srv")[0][0] == "one"


@pytest.mark.parametrize("deleted", ["", " (deleted)"])
def test_a_program_that_was_replaced_keeps_its_name(made, deleted):
    process = made.process("x")
    (made.proc / "7/exe").symlink_to(f"/opt/serve{deleted}")

    assert ("serve", "x") == names_of(process.pid, str(made.proc))[0]


@pytest.mark.parametrize(
    ("root", "cwd", "there"),
    [
        ("/", "/srv", "/srv/a"),
        ("/outer", "/outer/srv", "/srv/a"),
        ("/outer", "/outer", "/a"),
        ("/outer", "/else", "/else/a"),
    ],
)
def test_where_a_process_works_is_told_below_its_root(made, root, cwd, there):
    (made.proc / "7/root").symlink_to(root)
    (made.proc / "7/cwd").symlink_to(cwd)

    assert there == files_of(7, str(made.proc)).absolute("a")


@pytest.mark.parametrize(
    ("theirs", "is_seen"),
    [
        ("1 0 8:1 / / rw - ext4 x rw", True),
        ("1 0 8:2 / / rw - ext4 x rw", False),
        ("1 0 8:1 /sub / rw - ext4 x rw", False),
        ("1 0 8:1 / / rw\n2 1 0:9 / / rw - overlay x rw", False),
        ("1 0 8:1 / / rw\n2 1 0:9 / /proc rw - proc x rw", True),
    ],
    ids=["same", "another device", "another folder", "mounted over", "with /proc"],
)
def test_a_root_that_may_not_be_read_is_ours_where_the_same_is_mounted(made, theirs, is_seen):
    (made.proc / "self").mkdir()
    (made.proc / "self/mountinfo").write_text("1 0 8:1 / / rw - ext4 x rw\n")
    (made.proc / "7/mountinfo").write_text(theirs)

    assert is_seen is files_of(7, str(made.proc)).exists("/proc/self")


@pytest.mark.parametrize(
    ("text", "mount"),
    [("", None), ("1 0 8:1 / /", ("8:1", "/")), ("1 0 8:1 /", None), ("1 0 8:1 / /a", None)],
)
def test_the_root_is_what_is_mounted_there_last(made, text, mount):
    (made.proc / "7/mountinfo").write_text(text)

    assert mount == _root_mount(f"{made.proc}/7")
    assert _root_mount(f"{made.proc}/8") is None
