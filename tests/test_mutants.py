"""What `make mutants` changes, what it leaves alone, and what it says of tests that notice nothing."""

import queue
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent
NAMES = ("mutations", "nearby_tests", "changed_tree", "mutant_verdicts", "mutants")


def parts():
    """Return the names of the programs as `make mutants` runs them, together."""
    before = set(sys.modules)
    sys.path.insert(0, str(HERE))
    try:
        return {k: v for name in NAMES for k, v in runpy.run_path(str(HERE / f"{name}.py")).items()}
    finally:
        sys.path.remove(str(HERE))
        for name in {*NAMES} - before:
            sys.modules.pop(name, None)


MUTANTS = parts()


def changes(source):
    return [mutant.change for mutant in MUTANTS["mutants_of"]("models/one.py", source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("LIMIT = 10", ["LIMIT = 10 → LIMIT = 12", "LIMIT = 10 → LIMIT = 8"]),
        ("STEP = 1", ["STEP = 1 → STEP = 2", "STEP = 1 → STEP = 0"]),
        ("RATIO = 0.6", ["RATIO = 0.6 → RATIO = 0.72", "RATIO = 0.6 → RATIO = 0.5"]),
        ("a < b", ["a < b → a <= b"]),
        ("a - b", ["a - b → a + b"]),
        ("a and b", ["a and b → a or b"]),
        ("not a", ["not a → a"]),
        ("min(a, b)", ["min(a, b) → max(a, b)"]),
    ],
)
def test_constants_and_operators_are_changed_one_at_a_time(source, expected):
    assert expected == changes(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""10 of them."""',
        "assert a < 10",
        "a: Literal[3]",
        "f'{a + 1}'",
        "root / 'data'",
        "[a] + b",
        "zip(a, b, strict=True)",
        "if TYPE_CHECKING:\n    a = 3",
    ],
)
def test_what_is_no_behaviour_or_never_the_right_type_is_left_alone(source):
    assert [] == changes(source)


def test_all_else_in_a_changed_module_stays_as_it_was():
    mutants = MUTANTS["mutants_of"]("models/one.py", "a = 1\nif a < 2:\n    b = a + 3\n")

    assert len(mutants) == len({mutant.text for mutant in mutants}) == 8
    assert mutants[-1].line == 3


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
    ended = tree._run(NEAR[:1], timeout_s=5.0)

    assert ended.code is None
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


class Told:
    """Tests that end as they were told to: without a change, then of each mutant."""

    def __init__(self, unchanged, *ended):
        self._unchanged, self._ended = unchanged, iter(ended)

    def unchanged(self, tests):
        return MUTANTS["Ended"](*self._unchanged)

    def changed(self, mutant, tests):
        return MUTANTS["Ended"](*next(self._ended))


OWN, NEIGHBOURS = "tests/models/test_one.py", "tests/models/test_two.py"


def verdicts(told, source, neighbours=()):
    """Return the last verdict on each mutant."""
    trees = queue.Queue()
    trees.put(told)
    several = MUTANTS["mutants_of"]("models/one.py", source)
    found = MUTANTS["judged"](trees, several, lambda _: ([Path(OWN)], neighbours))
    return sorted({each.mutant: each for each in found}.values())


def test_a_mutant_is_killed_by_a_failure_or_by_no_end_and_survives_what_passes():
    ended = ((1, f"{OWN}::test_a"), (None, ""), (0, ""))
    found = verdicts(Told((0, ""), *ended), "a < b; c < d; not e")

    assert [("killed", "test_a"), ("killed", "no end in time"), ("survived", "")] == [
        (verdict.verdict, verdict.by) for verdict in found
    ]
    assert MUTANTS["summary"](found, 7) == (2 / 3, "seed 7: 2 of 3 mutants killed (66.7%)")


def test_where_tests_fail_of_an_unchanged_module_nothing_is_judged():
    found = verdicts(Told((1, f"{OWN}::test_a"), *2 * [(1, f"{OWN}::test_a")]), "a < b")

    assert MUTANTS["summary"](found, 7) == (
        0.0,
        "seed 7: 0 of 0 mutants killed (0.0%), 1 not judged",
    )


@pytest.mark.parametrize(
    ("neighbours", "verdict"), [(5, "unjudged"), (0, "survived"), (1, "killed")]
)
def test_a_module_whose_only_quick_tests_are_none_is_judged_by_its_neighbours(neighbours, verdict):
    told = Told((0, ""), (5, ""), (neighbours, f"{NEIGHBOURS}::test_b" if neighbours == 1 else ""))

    assert [verdict] == [each.verdict for each in verdicts(told, "a < b", [Path(NEIGHBOURS)])]


def test_neighbours_are_asked_after_the_own_tests_of_all_and_of_what_those_let_pass():
    ended = ((0, ""), (1, f"{OWN}::test_a"), (0, ""), (1, f"{NEIGHBOURS}::test_b"), (0, ""))
    found = verdicts(Told((0, ""), *ended), "a < b; c < d; not e", [Path(NEIGHBOURS)])

    assert ["killed by a neighbour's", "killed", "survived"] == [each.ending for each in found]


def test_a_run_whose_time_is_up_goes_on_where_it_ended(tmp_path):
    several = MUTANTS["mutants_of"]("models/one.py", "a < b\nnot c\nd < e")
    trees = queue.Queue()

    def judged(told, mutants, neighbours=(), **more):
        trees.put(told)
        tests = ([Path(OWN)], neighbours)
        found = list(MUTANTS["judged"](trees, mutants, lambda _: tests, **more))
        trees.get()
        return found

    kept = MUTANTS["Kept"](tmp_path / "build" / "kept.jsonl")
    for each in judged(Told((0, ""), (1, f"{OWN}::test_a"), (0, "")), several[:2], [])[:2]:
        kept.add(each)
    known, rest = MUTANTS["Kept"](kept._path).of(several)
    begun = [each for each in known if not each.is_final]

    assert (several[:2], several[2:]) == ([each.mutant for each in known], rest)
    assert [several[1]] == [each.mutant for each in begun]
    assert [] == judged(Told((0, "")), rest, begun=begun, ends_s=0.0)
    killing = Told((0, ""), (1, f"{NEIGHBOURS}::test_b"))
    assert ["killed by a neighbour's"] == [
        each.ending for each in judged(killing, [], [Path(NEIGHBOURS)], begun=begun)
    ]


def test_the_report_shows_survivors_before_what_was_killed_and_why_some_are_never_tried():
    ended = ((1, f"{OWN}::test_a"), (0, ""), (0, ""), (1, f"{NEIGHBOURS}::test_b"), (0, ""))
    source = "a < b\nc | (d and e)\nnot f"
    found = verdicts(Told((0, ""), *ended), source, [Path(NEIGHBOURS)])
    asked = SimpleNamespace(seed=7, sample=6)
    text = MUTANTS["document"](found, asked, 5, 1000, {("models/one.py", "x → y"): "the same"})

    assert "**Seed 7: 2 of 3 mutants killed (66.7%)**" in text
    assert "`make mutants SEED=7 SAMPLE=6`" in text
    assert "the time was up before the last 2." in text
    assert "| models | 1 | 1 | 1 |" in text
    assert text.index("| models/one.py | 3 | `not f → f` |") < text.index("| test_a |")
    assert "| models/test_two.py::test_b |" in text
    assert "| models/one.py | `x → y` | the same |" in text


def test_each_mutant_that_is_called_equivalent_is_one_of_the_code():
    reasons = MUTANTS["equivalents"]()
    root = HERE.parent / "capacity"
    possible = {
        (module, mutant.change)
        for module in {module for module, _change in reasons}
        for mutant in MUTANTS["mutants_of"](module, (root / module).read_text(encoding="utf-8"))
    }

    assert set(reasons) <= possible
    assert all(reasons.values())
