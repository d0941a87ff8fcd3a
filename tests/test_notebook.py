"""What programs and notebooks import: typed, lazy, and with the same answer as `capacity plan`."""

import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import capacity
from capacity import CapacityPlan, Excuse, RunRecord, load_run, plan
from capacity.domain.errors import ConfigError
from capacity.domain.target import TargetSpec

EXAMPLE = runpy.run_path(str(Path(__file__).parent / "reporting" / "example_run.py"))
write_run = runpy.run_path(str(Path(__file__).with_name("written_run.py")))["write_run"]
CEILING = 19_948


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run-1", EXAMPLE["make_record"]())


@pytest.mark.parametrize("kind", [str, Path])
def test_a_run_is_loaded_and_planned_in_two_lines_and_nothing_is_written(run, kind):
    before = {path: path.read_bytes() for path in run.iterdir()}
    record = load_run(kind(run))
    answer = plan(record)

    assert isinstance(record, RunRecord)
    assert isinstance(answer, CapacityPlan)
    assert CEILING == pytest.approx(answer.capacity.mid, rel=0.001)
    assert before == {path: path.read_bytes() for path in run.iterdir()}


def test_limits_that_the_target_file_declares_are_not_forgotten():
    record = EXAMPLE["make_record"]()
    limits = {"descriptors": {"value": 10_052, "source": "the unit file"}}
    lower = replace(
        record,
        manifest=replace(record.manifest, target=TargetSpec.from_document({"limits": limits})),
    )

    assert plan(lower).capacity.mid < 10_052 < plan(record).capacity.mid


def test_a_record_without_evidence_is_an_excuse_and_no_error():
    record = EXAMPLE["make_record"]()
    answer = plan(replace(record, samples=()))

    assert isinstance(answer, Excuse)
    assert answer.reason


def test_a_folder_that_is_no_run_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match=str(tmp_path)) as error:
        load_run(tmp_path)

    assert "\n" not in str(error.value)


def test_every_public_name_is_there_and_no_other():
    assert {name: getattr(capacity, name) for name in capacity.__all__}
    with pytest.raises(AttributeError, match="has no attribute 'plans'"):
        capacity.plans  # noqa: B018 - asking is what fails


def test_importing_the_package_imports_nothing_else():
    code = "import capacity, sys; print(*(name for name in sys.modules if name[:8] == 'capacity'))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    ).stdout

    assert ["capacity"] == said.split()


def test_a_type_checker_sees_what_a_notebook_gets(tmp_path, root):
    notebook = tmp_path / "notebook.py"
    notebook.write_text(
        "from capacity import Excuse, load_run, plan\n"
        "answer = plan(load_run('run'))\n"
        "reveal_type(answer)\n"
        "answer.safe_capacity if not isinstance(answer, Excuse) else answer.reason\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", str(notebook)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=root,
    )

    assert (0, "") == (checked.returncode, checked.stderr), checked.stdout
    assert "capacity.domain.plan.CapacityPlan | capacity.domain.plan.Excuse" in checked.stdout
