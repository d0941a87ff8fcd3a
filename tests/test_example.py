"""The example report and what the README prints are what the product makes of the recorded run."""

import json
import re
import shutil
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from capacity.cli.plan import plan_run, print_answer
from capacity.cli.report import write_report

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "reports" / "example"
REMEDY = "make it again with `make example`, and put what it prints into the README"


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """Return a copy of the example, planned and reported anew."""
    run = tmp_path_factory.mktemp("example") / "run"
    shutil.copytree(EXAMPLE, run)
    plan_run(run)
    write_report(run, ["html", "md"])
    return run


def rounded(value):
    """Return *value* with floats as another processor's arithmetic may give them, too."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return value


@pytest.mark.parametrize("name", ["report.md", "report.html"])
def test_the_example_report_is_what_its_run_gives(again, name):
    assert (again / name).read_text("utf-8") == (EXAMPLE / name).read_text("utf-8"), REMEDY


def test_the_example_plan_is_what_its_run_gives(again):
    made, kept = (json.loads((run / "plan.json").read_text("utf-8")) for run in (again, EXAMPLE))

    assert rounded(made) == rounded(kept), REMEDY


def test_the_readme_prints_what_the_example_gives(again):
    console = Console(width=2000, file=StringIO())
    print_answer(plan_run(again), console)
    printed = [line.rstrip() for line in console.file.getvalue().splitlines()]
    told = (ROOT / "README.md").read_text("utf-8").partition("\nCapacity: ")[2]
    shown = [*f"Capacity: {told}".partition("\n \u2026")[0].splitlines()]

    assert len(shown) == 10
    for line, answer in zip(shown, printed, strict=False):
        assert re.fullmatch(".*".join(map(re.escape, line.split("\u2026"))), answer), REMEDY
