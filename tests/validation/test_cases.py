"""The set covers what it says, and a case of it, small, from the plan to the breaking."""

import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ONCE = {"hidden cap", "unseen mix"}
"""Limits of which another size says nothing new, or takes eight minutes to say."""
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def driver():
    """Run the driver's modules as `make validate` does, with their folder on the path."""
    sys.path.insert(0, str(HERE))
    try:
        yield runpy.run_path(str(HERE / "run.py"))
    finally:
        sys.path.remove(str(HERE))
        for path in HERE.glob("*.py"):
            name = path.stem
            sys.modules.pop(name, None)


def test_each_name_is_one_case_and_there_are_at_least_forty(driver):
    names = [case.name for case in driver["all_cases"]()]

    assert len(names) == len(set(names)) >= 40


def test_the_first_ones_have_every_class_of_limit_and_every_server(driver):
    cases = driver["all_cases"]()
    first = [case for case in cases if (case.seed, case.fraction) == (1, 0.25)]

    assert cases[: len(first)] == first
    assert {case.limit for case in first} == {case.limit for case in cases}
    assert {case.server for case in first} == {case.server for case in cases}


def test_no_safe_run_goes_beyond_its_fraction(driver):
    for case in driver["all_cases"]():
        profile = driver["predict"].__globals__["profile_of"](case)
        if case.breaking in {"stall", "storm"}:
            assert profile["connects_per_s"] <= round(case.expected * case.fraction)
        elif profile["kind"] == "safe":
            assert profile["fraction"] <= 0.25
        else:
            assert max(profile["levels"]) <= round(case.expected * case.fraction)


def test_each_limit_is_planted_from_a_quarter_and_from_half_in_three_sizes(driver):
    for limit in {case.limit for case in driver["all_cases"]()} - ONCE:
        cases = [case for case in driver["all_cases"]() if case.limit == limit]

        assert {case.fraction for case in cases} == {0.25, 0.5}, limit
        assert {case.seed for case in cases} == {1, 2, 3}, limit


def test_no_case_that_was_examined_is_dropped(driver):
    names = {case.name for case in driver["all_cases"]()}

    assert names >= {result["case"] for result in driver["results"]()}


@pytest.mark.end_to_end
@pytest.mark.xdist_group("load")
@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/fs/cgroup/pids").is_dir(),
    reason="takes root and version 1 cgroups",
)
def test_a_planted_limit_of_tasks_is_named_and_found_where_the_server_breaks(driver):
    [case] = [each for each in driver["all_cases"]() if each.name == "tasks-threads-25-1"]
    result = driver["examine"](replace(case, tasks=300, expected=298, plateau_s=2))

    assert result["prediction"]["binding"] == "threads"
    assert result["prediction"]["capacity"]["mid"] == pytest.approx(result["truth"], rel=0.01)
    assert result["truths"] == [result["truth"]] * 3
    assert not result["prediction"]["target_failed"]
    assert len(result["sha256"]) == 64


def test_a_pattern_that_no_case_has_runs_nothing():
    finished = subprocess.run(
        [sys.executable, str(HERE / "run.py"), "no-such-case"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert finished.stdout == ""
