"""Names, options, variables and files of processes, made up and real."""

import os

import pytest

from capacity.monitor.limits.applications.process import files_of, names_of, options
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


@pytest.mark.parametrize(("later_s", "is_said"), [(1.0, False), (3.0, True)])
def test_a_file_that_was_written_after_the_start_says_so(made, later_s, is_said):
    written_at = made.write("/a", "x\n").stat().st_mtime
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
