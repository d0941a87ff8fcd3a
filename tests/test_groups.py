"""What is run in two groups has one result, which is good only if both are."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

GROUPS = runpy.run_path(str(Path(__file__).with_name("groups.py")))
PASSED = "3962 passed, 2 skipped in 378.42s (0:06:18)"
ALONE = "7 passed, 3962 deselected in 62.72s (0:01:02)"


def ended(monkeypatch, capsys, *results):
    """Return exit code and last line of a run whose groups ended so."""
    results = iter((*result, []) for result in results)
    monkeypatch.setitem(GROUPS["main"].__globals__, "run", lambda _arguments: next(results))
    code = GROUPS["main"]([])
    return code, capsys.readouterr().out.splitlines()[-1].rpartition(" in ")[0]


@pytest.mark.parametrize(
    ("results", "code", "said"),
    [
        ([(0, PASSED), (0, ALONE)], 0, "3969 passed, 2 skipped"),
        ([(0, PASSED), (5, "7 deselected in 1.00s")], 0, "3962 passed, 2 skipped"),
        ([(1, "1 failed, 9 passed in 2.00s"), (0, ALONE)], 1, "1 failed, 16 passed"),
        ([(0, PASSED), (1, "1 failed, 6 passed in 2.00s")], 1, "3968 passed, 2 skipped, 1 failed"),
        ([(5, "9 deselected in 1.00s"), (5, "9 deselected in 1.00s")], 5, "no tests ran"),
    ],
    ids=["both", "nothing alone", "one failed beside others", "one failed alone", "nothing"],
)
def test_the_closing_line_and_the_exit_code_are_those_of_both(
    monkeypatch, capsys, results, code, said
):
    assert (code, said) == ended(monkeypatch, capsys, *results)


@pytest.mark.parametrize("killed", [-15, -9, 2, 3, 4])
def test_a_group_that_did_not_come_to_its_end_is_no_success(monkeypatch, capsys, killed):
    code, said = ended(monkeypatch, capsys, (killed, "..........."), (0, ALONE))

    assert code > 0
    assert said == f"incomplete: -m 'not alone and not long' ended with {killed}; 7 passed"


@pytest.mark.parametrize(("arguments", "asked"), [((), "not long"), (("--long",), "long")])
def test_the_long_tests_are_those_that_are_asked_for(monkeypatch, arguments, asked):
    seen = []
    run = lambda arguments: seen.append(arguments) or (0, ALONE, [])  # noqa: E731
    monkeypatch.setitem(GROUPS["main"].__globals__, "run", run)

    assert 0 == GROUPS["main"]([*arguments, "-k", "some"])
    assert [f"not alone and {asked}", f"alone and {asked}"] == [each[1] for each in seen]
    assert all(("-k", "some") == each[-2:] for each in seen)


TWO = """
import os, pathlib, pytest

@pytest.mark.parametrize('n', [1, 2])
@pytest.mark.xdist_group('some')
def test_it(n):
    before = pathlib.Path(__file__).with_name(f'{n}.txt')
    again = before.exists()
    before.touch()
    assert PASSES
"""


@pytest.mark.parametrize(
    ("passes", "code", "said"),
    [
        ("n == 1 or again", 0, "2 passed"),
        ("again", 0, "2 passed"),
        ("n == 1", 1, "1 failed, 1 passed"),
    ],
    ids=["one that passes alone", "both pass alone", "one that fails again"],
)
def test_what_fails_beside_others_has_failed_only_if_it_fails_alone(tmp_path, passes, code, said):
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n alone\n long\n xdist_group\n")
    (tmp_path / "test_some.py").write_text(TWO.replace("PASSES", passes))
    ended = subprocess.run(
        [sys.executable, GROUPS["__file__"], "--rootdir", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "CAPACITY_TEST_PROCESSES": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *before, last = ended.stdout.splitlines()
    unsteady = [line for line in before if line.startswith("unsteady: test_some.py::test_it[")]

    assert (code, said) == (ended.returncode, last.rpartition(" in ")[0])
    assert (code == 0) == bool(unsteady)


def test_many_failures_are_not_run_again(monkeypatch, capsys):
    most = GROUPS["MOST_AGAIN"]
    for count, runs in ((most, 2), (most + 1, 1)):
        seen = []
        failed = (1, f"{count} failed in 2.00s", [f"test_some.py::test_{n}" for n in range(count)])
        run = lambda _arguments: seen.append(1) or failed  # noqa: E731, B023
        monkeypatch.setitem(GROUPS["main"].__globals__, "run", run)

        assert (failed, []) == GROUPS["run_again"](run(()))
        assert runs == len(seen)
    capsys.readouterr()


def test_tests_of_one_group_meet_in_one_process(tmp_path):
    (tmp_path / "test_some.py").write_text(
        "import os, pathlib, pytest\n\n"
        "@pytest.mark.xdist_group('some')\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_it(n): (pathlib.Path(__file__).parent / f'{os.getpid()}.pid').touch()\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        tmp_path,
    ]
    ended = subprocess.run(
        [*command, *GROUPS["BESIDE_EACH_OTHER"], "-n", "2", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == ended.returncode, ended.stdout
    assert 1 == len(list(tmp_path.glob("*.pid")))


def test_what_is_compiled_is_kept_whatever_the_variables_say(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    groups = tmp_path / "groups.py"
    groups.write_text(Path(GROUPS["__file__"]).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "conftest.py").touch()
    (tmp_path / "test_some.py").write_text("def test_it(): assert True\n")
    command = [sys.executable, groups, "--compile"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)

    assert {"conftest", "test_some"} == {
        path.name.partition(".")[0] for path in (tmp_path / "__pycache__").iterdir()
    }


def test_a_file_without_the_mark_that_is_asked_for_is_not_imported(pytestconfig, root):
    hook = pytestconfig.pluginmanager.get_plugin(str(root / "tests" / "conftest.py"))
    own, other = root / "tests" / "end_to_end" / "test_hosts.py", Path(__file__)

    for asked, left_out in (
        ("alone and long", True),
        ("not alone and long", True),
        ("not alone and not long", None),
        ("", None),
    ):
        config = SimpleNamespace(option=SimpleNamespace(markexpr=asked))
        assert left_out is hook.pytest_ignore_collect(other, config)
        assert hook.pytest_ignore_collect(own, config) is None


class Item:
    """A test as pytest has collected it, with its marks by name."""

    def __init__(self, path, *marks):
        self.path, self.marks = path, {mark.name: mark for mark in marks}

    def get_closest_marker(self, name):
        return self.marks.get(name)

    def add_marker(self, mark):
        self.marks[mark.name] = mark

    @property
    def group(self):
        return self.marks["xdist_group"].args[0] if "xdist_group" in self.marks else None


def test_tests_of_a_file_meet_but_for_long_ones_and_those_with_a_group_of_their_own(
    pytestconfig, root, monkeypatch
):
    hook = pytestconfig.pluginmanager.get_plugin(str(root / "tests" / "conftest.py"))
    monkeypatch.setattr(hook, "IS_WORKER", True)
    one, other = root / "tests" / "one" / "test_it.py", root / "tests" / "other" / "test_it.py"
    quick = [Item(path) for path in (one, other) for _ in range(hook.TOGETHER + 1)]
    grouped = Item(one, pytest.mark.xdist_group("some").mark)
    alone = Item(one, pytest.mark.end_to_end.mark)
    items = [*quick, grouped, alone]
    hook.pytest_collection_modifyitems(items)
    size = hook.TOGETHER

    assert [alone, grouped, *quick] == items
    assert (None, "some") == (alone.group, grouped.group)
    groups = [item.group for item in quick]
    assert 4 == len(set(groups))
    assert 1 == len(set(groups[:size]))
    assert all(GROUPS["GROUP"].sub("", f"test_it@{group}") == "test_it" for group in groups)
