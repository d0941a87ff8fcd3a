"""What `make mutants` runs where a module is changed, in real copies of a small checkout."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent
MUTANTS = runpy.run_path(str(HERE / "mutant_parts.py"))["parts"]()

SOURCE = "LIMIT = 10\n\n\ndef is_over(n):\n    return n > LIMIT\n"
LAW = MUTANTS["mutants_of"]("models/law.py", SOURCE)


@pytest.fixture(name="checkout")
def fixture_checkout(tmp_path):
    """Return a checkout with a few modules, of which one is imported by another and by a third's tests."""
    files = {
        "capacity/models/law.py": SOURCE,
        "capacity/planning/advice.py": "from capacity.models.law import is_over\n",
        "capacity/planning/other.py": "",
        "tests/models/test_law.py": "from capacity.models.law import is_over\n\n\n"
        "def test_far_below():\n    assert not is_over(3)\n",
        "tests/models/test_law_extremes.py": "def test_nothing():\n    pass\n",
        "tests/models/test_law_of_others.py": "def test_nothing():\n    pass\n",
        "capacity/models/law_of_others.py": "",
        "tests/planning/test_advice.py": "from capacity.planning.advice import is_over\n\n\n"
        "def test_just_above():\n    assert is_over(11)\n",
        "tests/planning/test_other.py": "import capacity.models.law\n\n\n"
        "def test_just_below():\n    assert not capacity.models.law.is_over(10)\n",
        "tests/planning/test_stranger.py": "def test_nothing():\n    pass\n",
    }
    root = tmp_path / "checkout"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in ("forked_pytest.py", "nearby_tests.py"):
        shutil.copy(HERE / name, root / "tests" / name)
    (root / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\n'
        'markers = ["end_to_end", "long"]\n'
    )
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


NEAR = [Path("tests/models/test_law.py"), Path("tests/models/test_law_extremes.py"),
        Path("tests/planning/test_advice.py"), Path("tests/planning/test_other.py")]  # fmt: skip


def test_a_modules_own_tests_come_first_then_its_importers_then_whoever_imports_it(checkout):
    """Its own are also those of one subject, which stand beside, unless they are another module's."""
    assert (NEAR[:2], NEAR[2:]) == MUTANTS["tests_near"](checkout, "models/law.py")
    assert (NEAR[3:], []) == MUTANTS["tests_near"](checkout, "planning/other.py")


@pytest.fixture(name="tree")
def fixture_tree(checkout, tmp_path):
    tree = MUTANTS["ChangedTree"](tmp_path / "tree", checkout)
    yield tree
    tree.close()


def test_a_bound_is_held_by_its_own_tests_by_a_neighbours_or_by_none(tree):
    above, below = "test_advice.py::test_just_above", "test_other.py::test_just_below"
    found = [told_of(tree, each, NEAR) for each in LAW]

    assert [("killed", f"planning/{by}") for by in (above, below, below)] == found
    assert ("survived", "") == told_of(tree, LAW[1], NEAR[:2])
    assert 0 == tree.changed(SimpleNamespace(module="models/law.py", text=SOURCE), NEAR[2:3]).code


def test_each_change_is_run_as_it_stands_whatever_bytecode_of_the_one_before_is_kept(tree):
    """Of the same module, of the same length, one after the other."""
    texts = [f"def is_over(n):\n    return n > {limit}\n" for limit in (10, 11, 10)]
    several = [SimpleNamespace(module="models/law.py", text=text) for text in texts]

    assert [0, 1, 0] == [tree.changed(each, NEAR[2:3]).code for each in several]


def test_what_fails_without_a_change_as_well_is_left_out_and_the_rest_may_tell(checkout, tmp_path):
    law = checkout / "tests/models/test_law.py"
    law.write_text("def test_broken():\n    assert False\n\n\n" + law.read_text())
    (checkout / "tests/models/test_law_extremes.py").write_text("import nowhere\n")
    (less,) = [each for each in LAW if each.change == "LIMIT = 10 → LIMIT = 8"]
    gone = SimpleNamespace(module="models/law.py", text="def is_over(n):\n    return True\n")
    tree = MUTANTS["ChangedTree"](tmp_path / "tree", checkout)
    broken = ["tests/models/test_law.py::test_broken"]

    assert ("unjudged", broken[0]) == told_of(tree, less, NEAR[:1])
    assert ("killed", "test_far_below") == told_of(tree, gone, NEAR[:1])
    assert "unjudged" == told_of(tree, gone, NEAR[:2])[0]
    tree.close()


def told_of(tree, mutant, tests):
    found = MUTANTS["judged_one"](tree, mutant, tests)
    return found.verdict, found.by


def test_whatever_a_run_started_ends_with_it(tree, tmp_path):
    """A program in a session of its own, whose test does not end in time."""
    tests = tmp_path / "tree/tests/models/test_law.py"
    tests.write_text(
        "import subprocess, sys, time, pathlib\n\n\ndef test_it():\n"
        "    left = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"    pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(left.pid))\n"
        "    time.sleep(600)\n"
    )
    ended = tree._run("models/law.py", NEAR[:1], timeout_s=5.0)

    assert ended.code is None
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_what_runs_tests_has_imported_nothing_that_a_change_may_reach():
    code = (
        "import sys, forked_pytest; forked_pytest.import_what_never_changes('loadgen'); "
        "print(*(name for name in sys.modules if name.startswith('capacity.')))"
    )
    imported = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {"capacity.settings.target", "capacity.models.breaks"} <= set(imported)
    assert [] == [name for name in imported if name.startswith("capacity.loadgen")]
