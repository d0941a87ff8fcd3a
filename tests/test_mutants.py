"""What `make mutants` changes, what it leaves alone, and what it says of tests that notice nothing."""

import queue
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent
MUTANTS = runpy.run_path(str(HERE / "mutant_parts.py"))["parts"]()


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


class Told:
    """Tests that end as they were told to: without a change, then of each mutant."""

    def __init__(self, unchanged, *ended):
        self._unchanged, self._ended = unchanged, iter(ended)

    def unchanged(self, mutant, tests):
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
