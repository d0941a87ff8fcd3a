import io
import json
import math
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from capacity.cli.plan import (
    command,
    located,
    plan_run,
    print_answer,
    write_whole,
)
from capacity.domain.errors import ConfigError
from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec
from capacity.reporting.formats.json_document import parse

EXAMPLE = runpy.run_path(str(Path(__file__).parent.parent / "reporting" / "example_run.py"))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parent.parent / "reporting" / "example_plan.py"))
write = runpy.run_path(str(Path(__file__).parents[1] / "written_run.py"))["write_run"]
CEILING = 19_948


@pytest.fixture
def run(tmp_path):
    return write(tmp_path / "run-1", EXAMPLE["make_record"]())


@pytest.fixture
def unusable_run(tmp_path):
    record = EXAMPLE["make_record"]()
    manifest = replace(record.manifest, agent=None)
    return write(tmp_path / "run-2", replace(record, manifest=manifest, samples=()))


def call(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_planted_descriptors_are_found_and_written(run):
    result = call(run)
    written = parse((run / "plan.json").read_text())

    assert result.exit_code == 0, result.output
    assert written.binding is Resource.DESCRIPTORS
    assert written.ladder[0].ceiling.mid == pytest.approx(CEILING, rel=0.001)
    assert "file descriptors" in result.stdout
    assert "19,948" in result.stdout
    assert result.stderr == ""


def test_json_prints_exactly_the_document(run):
    result = call(run, "--json")

    assert result.stdout == (run / "plan.json").read_text()
    assert json.loads(result.stdout)["kind"] == "plan"


def test_planning_twice_gives_the_same_document(run):
    first = call(run, "--json").stdout

    assert call(run, "--json").stdout == first


def test_an_excuse_says_why_and_leaves_with_5(unusable_run):
    result = call(unusable_run)
    written = parse((unusable_run / "plan.json").read_text())

    assert result.exit_code == 5
    assert "Inconclusive: no capacity could be derived" in result.stdout
    assert written.reason[:40] in result.stdout
    assert written.remedy[:40] in result.stdout


def test_an_excuse_as_json_leaves_with_5_too(unusable_run):
    result = call(unusable_run, "--json")

    assert result.exit_code == 5
    assert json.loads(result.stdout)["kind"] == "excuse"


def test_a_run_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("reports/runs/nightly"), EXAMPLE["make_record"]())

    assert located("nightly") == Path("reports/runs/nightly")


def test_what_is_no_run_is_refused_in_one_sentence(tmp_path):
    result = call(tmp_path)

    assert isinstance(result.exception, ConfigError)
    assert f"{tmp_path}: not a run" in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize("limits", [["x"], {"beer": {"value": 1, "source": "s"}}, {"cpu": {}}])
def test_impossible_limits_in_a_record_are_refused_in_one_sentence(tmp_path, limits):
    run = write(tmp_path / "run", EXAMPLE["make_record"]())
    manifest = json.loads((run / "run.json").read_text())
    manifest["target"]["limits"] = limits
    (run / "run.json").write_text(json.dumps(manifest))

    with pytest.raises(ConfigError, match=r"run\.json: target\.limits") as found:
        plan_run(run)
    assert "\n" not in str(found.value)


def test_a_lower_declared_limit_lowers_the_plan(tmp_path):
    record = EXAMPLE["make_record"]()
    limits = {"descriptors": {"value": 10_052, "source": "the unit file"}}
    manifest = replace(
        record.manifest, target=TargetSpec.from_document({"name": "venue", "limits": limits})
    )

    plan = plan_run(write(tmp_path / "run", replace(record, manifest=manifest)))

    assert plan.ladder[0].ceiling.mid == pytest.approx(10_000, rel=0.001)
    assert plan.ladder[0].limit.source == "the unit file"


def test_a_file_is_replaced_as_a_whole(tmp_path):
    file = tmp_path / "plan.json"
    write_whole(file, "old")

    write_whole(file, "new")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("plan.json", "new")]


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    file = tmp_path / "plan.json"
    write_whole(file, "old")

    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "new \ud800")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("plan.json", "old")]


def test_a_directory_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot write it"):
        write_whole(tmp_path / "gone" / "plan.json", "text")


def printed(answer):
    text = io.StringIO()
    print_answer(answer, Console(file=text, width=160, color_system=None))
    return text.getvalue()


def test_the_answer_has_capacity_walls_and_doubts():
    plan = EXAMPLE_PLAN["make_plan"]()

    text = printed(plan)

    assert "Capacity: ≈ 19,948 connections" in text
    assert "19,208 connections" in text
    assert "32,300" in text
    assert plan.doubts[0].statement in text


def test_hostile_text_reaches_the_terminal_neither_as_markup_nor_as_escapes():
    excuse = replace(EXAMPLE_PLAN["make_excuse"](), reason="[bold]\x1b[2J[/bold] [link=x]")

    text = printed(excuse)

    assert "[bold]\ufffd[2J[/bold] [link=x]" in text
    assert "\x1b" not in text


def test_a_pipe_gets_whole_words(run):
    assert not sys.stdout.isatty()
    assert "memory of the target at" in call(run).stdout


DEMAND = "demand: 1\nname: next\nconnections: 100000\nas_of: 2026-12-01\n"
HOSTS = """hosts: 1
currency: EUR
types:
  - {name: small, cores: 2, memory_bytes: 4.0e+9, price_per_month: 50}
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "d.yaml").write_text(DEMAND)
    (tmp_path / "h.yaml").write_text(HOSTS)
    return tmp_path / "d.yaml", tmp_path / "h.yaml"


def test_a_demand_is_sized_on_the_catalogue_and_written_into_the_plan(run, files):
    demand, hosts = files
    result = call(run, "--demand", demand, "--hosts", hosts)
    sizing = parse((run / "plan.json").read_text()).advice.sizing

    assert result.exit_code == 0, result.output
    assert sizing.cheapest == "small"
    assert f"Cheapest: {sizing.hosts[0].instances} × small," in result.stdout
    assert "Capacity exhaustion date" in result.stdout


def test_without_a_catalogue_instances_are_those_tested(run, files):
    call(run, "--demand", files[0])

    plan = parse((run / "plan.json").read_text())
    [host] = plan.advice.sizing.hosts

    assert (host.host, host.safe_connections) == ("as tested", plan.safe_capacity)
    assert host.survivors == math.ceil(100_000 / host.usable_connections)


def test_a_plan_without_a_demand_still_advises(run):
    result = call(run)
    advice = parse((run / "plan.json").read_text()).advice

    assert advice.sizing is None
    assert advice.sensitivities[0].resource is Resource.DESCRIPTORS
    assert "Instances for the demand" not in result.stdout


def test_a_catalogue_alone_is_refused(run, files):
    result = call(run, "--hosts", files[1])

    assert isinstance(result.exception, ConfigError)
    assert "needs --demand" in str(result.exception)


def test_a_demand_that_is_not_there_is_refused_with_those_that_are(run):
    result = call(run, "--demand", "exmple")

    assert isinstance(result.exception, ConfigError)
    assert "did you mean example?" in str(result.exception)


SIZED = ["--demand", "example", "--hosts", "example"]


def test_a_plan_made_again_without_its_demand_keeps_the_sizing_and_says_so(run):
    sized = call(run, *SIZED, "--json").stdout

    again = call(run, "--json")

    assert again.stdout == sized
    assert json.loads(sized)["plan"]["advice"]["sizing"]["demand"] == "example"
    assert again.stderr.startswith("Sized for the demand example of the plan before;")


def test_another_demand_takes_the_place_of_the_one_before_silently(run, tmp_path):
    text = Path("config/demand/example.yaml").read_text()
    other = tmp_path / "other.yaml"
    other.write_text(text.replace("name: example", "name: other"))
    call(run, *SIZED)

    result = call(run, "--demand", other, "--json")

    assert json.loads(result.stdout)["plan"]["advice"]["demand"]["name"] == "other"
    assert result.stderr == ""


def test_a_sizing_whose_demand_was_not_kept_is_said_to_be_gone(run):
    document = json.loads(call(run, *SIZED, "--json").stdout)
    del document["plan"]["advice"]["demand"], document["plan"]["advice"]["hosts"]
    (run / "plan.json").write_text(json.dumps(document))

    result = call(run, "--json")

    assert json.loads(result.stdout)["plan"]["advice"]["sizing"] is None
    assert result.stderr.startswith("The sizing for the demand example is gone:")


def test_a_plan_that_cannot_be_read_holds_no_demand(run):
    (run / "plan.json").write_text("torn {")

    assert call(run).stderr == ""
