"""No test bets on the speed of the machine: what a clock said is set in order, never beside a number.

`before <= moment <= after` holds on every machine, `took < 0.5` only on one that is idle.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CLOCKS = {"monotonic", "perf_counter", "time", "process_time", "thread_time"}
CLOCKS |= {f"{name}_ns" for name in CLOCKS}


def is_clock(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and getattr(node.func.value, "id", None) == "time"
    )


def names_in(node):
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def is_of_clocks(node, told):
    return any(map(is_clock, ast.walk(node))) or bool(names_in(node) & told)


def stopwatches(tree):
    """Return the names of functions that tell how long something took: they return what two clocks differ by."""
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and is_stopwatch(function)
    }


def is_stopwatch(function):
    told = told_by_clocks(function)
    returned = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
    return any(
        isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub) and is_of_clocks(value, told)
        for value in returned
    )


def told_by_clocks(function, told=frozenset()):
    """Return the names of a function that hold what a clock said, or what was made of it."""
    given = [
        (node.targets if isinstance(node, ast.Assign) else [node.target], node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.NamedExpr)
    ]
    told = set(told)
    while True:
        more = {
            name
            for targets, value in given
            if is_of_clocks(value, told)
            for target in targets
            for name in names_in(target)
        }
        if more <= told:
            return told
        told |= more


def bounds_in(node):
    """Return the numbers other than 0 of an expression, but for indexes and factors, as of units."""
    if isinstance(node, ast.Subscript):
        return bounds_in(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv):
        parts = [each for each in (node.left, node.right) if not isinstance(each, ast.Constant)]
    else:
        parts = list(ast.iter_child_nodes(node))
    own = [node.value] if isinstance(node, ast.Constant) else []
    numbers = [each for each in own if isinstance(each, int | float) and each]
    return numbers + [number for part in parts for number in bounds_in(part)]


def is_bet(node, told):
    """Return whether an assertion has a number beside what a clock said."""
    return any(
        isinstance(each, ast.Compare) and is_of_clocks(each, told) and bool(bounds_in(each))
        for each in ast.walk(node.test)
    )


def bets(source):
    """Return the names of the functions of a module that assert a number of a clock."""
    if "time." not in source:
        return set()
    found, tree = set(), ast.parse(source)
    measured = stopwatches(tree)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            asserted = [node for node in ast.walk(function) if isinstance(node, ast.Assert)]
            told = told_by_clocks(function, measured) if asserted else set()
            if any(is_bet(node, told) for node in asserted):
                found.add(function.name)
    return found


def test_no_test_asserts_how_long_something_took():
    found = {
        (path.relative_to(TESTS).as_posix(), name)
        for path in TESTS.rglob("test_*.py")
        for name in bets(path.read_text(encoding="utf-8"))
    }

    assert set() == found


@pytest.mark.parametrize(
    ("lines", "is_found"),
    [
        ("began = time.monotonic(); work(); assert time.monotonic() - began < 0.5", True),
        ("began = time.time(); took = time.time() - began; assert took < 1", True),
        ("assert pytest.approx(time.time(), abs=5) == said", True),
        ("assert abs(time.time() - said) < 1", True),
        ("began = time.time(); assert began <= said <= time.time()", False),
        ("began = time.time(); assert 0 < said <= time.time() - began", False),
        (
            "before_ms = time.time() * 1000; assert before_ms <= said[1] <= time.time() * 1000",
            False,
        ),
        ("began = time.time(); assert said == 5", False),
        ("deadline = time.monotonic() + 10", False),
    ],
)
def test_a_number_beside_a_clock_is_found(lines, is_found):
    source = f"def test_it():\n    {lines}"

    assert ({"test_it"} if is_found else set()) == bets(source)


@pytest.mark.parametrize(
    ("returned", "asserted", "is_found"),
    [
        ("time.process_time() - began", "least_s < 0.5", True),
        ("time.process_time() - began", "least_s / 2000 < 20e-6", True),
        ("time.process_time() - began", "least_s < 12 * other_s", False),
        ("cores * (time.process_time() - began)", "least_s < 0.5", False),
    ],
)
def test_a_number_beside_what_a_stopwatch_of_the_module_says_is_found(returned, asserted, is_found):
    """Two durations may stand beside each other; a rate by a duration is an amount of work."""
    source = f"""
def took_s(cores=1):
    began = time.process_time()
    return {returned}

def test_it():
    least_s = min(took_s() for _ in range(5))
    assert {asserted}
"""

    assert ({"test_it"} if is_found else set()) == bets(source)
