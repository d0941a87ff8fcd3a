"""What `make mutants` changes, what it leaves alone, and what it says of tests that notice nothing."""

import queue
import runpy
from pathlib import Path

import pytest

MUTANTS = runpy.run_path(str(Path(__file__).with_name("mutants.py")))


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
        "if TYPE_CHECKING:\n    a = 3",
    ],
)
def test_what_is_no_behaviour_or_never_the_right_type_is_left_alone(source):
    assert [] == changes(source)


def test_all_else_in_a_changed_module_stays_as_it_was():
    mutants = MUTANTS["mutants_of"]("models/one.py", "a = 1\nif a < 2:\n    b = a + 3\n")

    assert len(mutants) == len({mutant.text for mutant in mutants}) == 8
    assert [(mutant.line, mutant.test) for mutant in mutants][-1] == (
        3,
        Path("tests/models/test_one.py"),
    )


class Told:
    """Tests that end as they were told to: without a change, then for each mutant."""

    def __init__(self, unchanged, *ended):
        self._unchanged, self._ended = unchanged, iter(ended)

    def tests(self, test, timeout_s):
        return self._unchanged

    def with_change(self, mutant, timeout_s):
        return next(self._ended)


def verdicts(told, source):
    trees = queue.Queue()
    trees.put(told)
    return list(MUTANTS["judged"](trees, MUTANTS["mutants_of"]("models/one.py", source)))


def test_a_mutant_is_killed_by_a_failure_or_by_no_end_and_survives_what_passes():
    found = verdicts(Told((0, ""), (1, "test_a"), (None, "no end"), (0, "")), "a < b; c < d; not e")

    assert ["killed", "killed", "survived"] == [verdict.verdict for verdict in found]
    assert MUTANTS["summary"](found, 7) == (2 / 3, "seed 7: 2 of 3 mutants killed (66.7%)")


def test_where_tests_fail_of_an_unchanged_module_nothing_is_judged():
    found = verdicts(Told((1, "test_a")), "a < b")

    assert MUTANTS["summary"](found, 7) == (
        0.0,
        "seed 7: 0 of 0 mutants killed (0.0%), 1 not judged",
    )


def test_the_report_shows_survivors_before_what_was_killed_and_why_some_are_never_tried():
    found = verdicts(Told((0, ""), (1, "test_a"), (0, "")), "a < b\nc | (d and e)")
    text = MUTANTS["document"](found, 7, 1000, {("models/one.py", "x → y"): "the same"})

    assert "**Seed 7: 1 of 2 mutants killed (50.0%)**" in text
    assert "`make mutants SEED=7 SAMPLE=2`" in text
    assert "| models | 1 | 1 |" in text
    assert text.index("| models/one.py | 2 | `d and e → d or e` |") < text.index("| test_a |")
    assert "| models/one.py | `x → y` | the same |" in text


def test_each_mutant_that_is_called_equivalent_is_one_of_the_code():
    reasons = MUTANTS["equivalents"]()
    root = Path(__file__).parent.parent / "capacity"
    possible = {
        (module, mutant.change)
        for module in {module for module, _change in reasons}
        for mutant in MUTANTS["mutants_of"](module, (root / module).read_text(encoding="utf-8"))
    }

    assert set(reasons) <= possible
    assert all(reasons.values())
