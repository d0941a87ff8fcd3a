import json
import runpy
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.report import command, write_report
from capacity.domain.errors import ConfigError
from capacity.reporting.formats import json_document

EXAMPLE = runpy.run_path(str(Path(__file__).parent.parent / "reporting" / "example_run.py"))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parent.parent / "reporting" / "example_plan.py"))
write_run = runpy.run_path(str(Path(__file__).parents[1] / "written_run.py"))["write_run"]


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run-1", EXAMPLE["make_record"]())


def call(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_files_are_written_and_named(run):
    result = call(run)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"{run}/report.html",
        f"{run}/report.md",
        f"{run}/plan.json",
    ]
    assert (run / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert (run / "report.md").read_text().startswith("# Capacity of venue-1")
    assert json.loads((run / "plan.json").read_text())["kind"] == "plan"


def test_json_prints_one_document(run):
    result = call(run, "--format", "md", "--json")

    assert json.loads(result.stdout) == {"files": [f"{run}/report.md"]}
    assert not (run / "report.html").exists()


def test_the_plan_that_is_there_is_reported(run):
    plan = EXAMPLE_PLAN["make_plan"]()
    (run / "plan.json").write_text(json_document.render(plan))

    write_report(run, ["html"])

    assert plan.ladder[0].remedy in (run / "report.html").read_text()


def test_an_excuse_is_reported_too(run):
    (run / "plan.json").write_text(json_document.render(EXAMPLE_PLAN["make_excuse"]()))

    result = call(run, "--format", "html,md")

    assert result.exit_code == 0
    assert "Inconclusive: no capacity could be derived" in (run / "report.html").read_text()


def test_a_report_made_again_is_the_same(run):
    [path] = write_report(run, ["html"])
    first = path.read_bytes()

    write_report(run, ["html"])

    assert path.read_bytes() == first


@pytest.mark.parametrize("formats", ["pdf", "html,pdf", ""])
def test_an_unknown_format_is_refused_before_anything_is_written(run, formats):
    result = call(run, "--format", formats)

    assert isinstance(result.exception, ConfigError)
    assert "choose from html, md, json" in str(result.exception)
    assert not (run / "report.html").exists()


def test_a_broken_plan_file_says_how_to_make_it_again(run):
    (run / "plan.json").write_text("{")

    with pytest.raises(ConfigError, match=r"plan\.json: not a plan document.*makes it again"):
        write_report(run, ["html"])


def test_what_is_no_run_is_refused(tmp_path):
    assert isinstance(call(tmp_path).exception, ConfigError)


def test_a_baseline_is_compared_with_in_the_page(run, tmp_path):
    before = shutil.copytree(run, tmp_path / "before")
    manifest = json.loads((before / "run.json").read_text())
    (before / "run.json").write_text(json.dumps({**manifest, "run": "before"}))

    result = call(run, "--baseline", before)
    page = (run / "report.html").read_text()

    assert result.exit_code == 0, result.output
    assert page.index('id="walls"') < page.index('id="baseline"') < page.index('id="timeline"')
    assert 'id="baseline"' not in (run / "report.md").read_text()


def test_a_baseline_that_is_no_run_is_refused_before_anything_is_written(run, tmp_path):
    result = call(run, "--baseline", tmp_path / "nowhere")

    assert isinstance(result.exception, ConfigError)
    assert not (run / "report.html").exists()
