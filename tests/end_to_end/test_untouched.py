"""What the campaign of untouched runs says of its counts; the runs themselves are made by `make untouched`."""

import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def untouched(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    yield runpy.run_path(str(HERE / "untouched.py"))
    sys.modules.pop("staging", None)


@pytest.mark.parametrize(
    ("lost", "runs", "ratio"), [(0, 60, 1 - 0.05 ** (1 / 60)), (0, 200, 1 - 0.05 ** (1 / 200))]
)
def test_of_none_lost_the_bound_is_the_rule_of_three(untouched, lost, runs, ratio):
    bound = untouched["most_likely_ratio"](lost, runs)

    assert pytest.approx(ratio) == bound
    assert pytest.approx(3 / runs, rel=0.05) == bound


def test_the_bound_of_some_lost_is_above_their_share(untouched):
    assert 0.19 < untouched["most_likely_ratio"](8, 66) < 0.22  # 12 % were.


def test_runs_that_are_there_are_not_made_again(untouched, tmp_path, monkeypatch):
    made = []

    def run_beside(folder):
        made.append(folder.name[:4])
        lost = ["it fell silent"] if len(made) == 2 else []
        return {"exit_code": 0, "ending": "finished", "reason": None, "lost": lost, "void": []}

    monkeypatch.setitem(untouched["campaign"].__globals__, "run_beside", run_beside)
    untouched["campaign"](tmp_path, 2, busy=0, at_once=1)
    lines = untouched["campaign"](tmp_path, 3, busy=0, at_once=1)
    said = list(untouched["summed_up"](lines))

    assert ["0000", "0001", "0002"] == made
    assert "3 ended with 0: None" in said
    assert any(each.startswith("1 of 3 runs lost a worker") for each in said)


def test_the_record_of_a_run_says_how_it_ended(untouched):
    told = untouched["told_in"](HERE.parents[1] / "reports" / "example")

    assert ("finished", []) == (told["ending"], told["lost"])


def test_a_run_without_a_record_has_no_end(untouched, tmp_path):
    nothing = {"ending": None, "reason": None, "lost": [], "void": []}

    assert nothing == untouched["told_in"](tmp_path / "run")
