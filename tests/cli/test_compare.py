import json
import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.compare import command, measured_runs
from capacity.domain.errors import ConfigError, RegressionError, RunInvalidError

PLANTED = runpy.run_path(
    str(Path(__file__).parents[1] / "planning" / "comparison" / "planted_change.py")
)


@pytest.fixture
def run_at(tmp_path):
    """Write a planted run and return its directory."""

    def make(name, seed, **changes):
        made = PLANTED["record"](seed, name=name, **changes)
        return str(PLANTED["written"](tmp_path / name, made))

    return make


def invoke(*arguments):
    return CliRunner().invoke(command, arguments)


def test_a_dearer_build_leaves_with_exit_code_11_and_its_reason(run_at):
    result = invoke(run_at("new", 2, cpu=1.05), run_at("old", 1))

    assert isinstance(result.exception, RegressionError)
    assert result.exception.exit_code == 11
    assert "event loop (hottest thread) per connection" in str(result.exception)
    assert result.stdout.startswith("Regression: event loop (hottest thread) per connection +")


def test_the_same_build_leaves_with_exit_code_0(run_at):
    result = invoke(run_at("new", 2), run_at("old", 1))

    assert result.exit_code == 0
    assert "No regression was found" in result.stdout


@pytest.mark.parametrize("flags", [["--json"], ["--format", "json"]])
def test_json_is_one_document(run_at, flags):
    document = json.loads(invoke(run_at("new", 2), run_at("old", 1), *flags).stdout)

    assert document["comparison"]["outcome"] == "no_change"


def test_markdown_is_short(run_at):
    text = invoke(run_at("new", 2), run_at("old", 1), "--format", "markdown").stdout

    assert text.startswith("### No regression was found\n")
    assert len(text.splitlines()) <= 60


def test_a_greater_least_effect_lets_a_small_change_pass(run_at):
    sides = run_at("new", 2, cpu=1.05), run_at("old", 1)

    assert invoke(*sides, "--least-effect", "10").exit_code == 0


def test_incomparable_runs_are_refused(run_at):
    result = invoke(run_at("new", 2, profile={"kind": "ramp"}), run_at("old", 1))

    assert isinstance(result.exception, RunInvalidError)
    assert "the kind of profile: safe in old, ramp in new" in str(result.exception)


def test_a_run_without_a_plan_is_refused_with_its_reason(run_at):
    idle = run_at("new", 2, steps=PLANTED["PLANTING"]["crossed_steps"](levels=1)[:1])
    result = invoke(idle, run_at("old", 1))

    assert isinstance(result.exception, RunInvalidError)
    assert "no plan to compare" in str(result.exception)


def test_several_runs_a_side_are_named_by_commas_or_by_their_directory(run_at, tmp_path):
    listed = measured_runs(f"{run_at('set/a', 1)},{run_at('set/b', 2)}")
    inside = measured_runs(str(tmp_path / "set"))

    assert ["set/a", "set/b"] == sorted(run.plan.run for run in listed)
    assert [run.plan.run for run in listed] == [run.plan.run for run in inside]


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(ConfigError, match="not a run"):
        measured_runs(str(tmp_path))
    with pytest.raises(ConfigError, match="names no run"):
        measured_runs(",")
