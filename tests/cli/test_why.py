import json
import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.plan import demanded, plan_run
from capacity.cli.why import command
from capacity.domain.errors import ConfigError, RunInvalidError

PLANTED = runpy.run_path(
    str(Path(__file__).parents[1] / "planning" / "comparison" / "planted_change.py")
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "planted"
    return str(PLANTED["written"](path, PLANTED["record"](1)))


def invoke(*arguments):
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize("what", ["memory", "memory of the target", "MEMORY"])
def test_a_resource_is_named_as_in_files_or_as_in_reports(run, what):
    assert invoke(run, what).stdout.startswith("memory of the target: ")


@pytest.mark.parametrize("what", ["bottleneck", "capacity", "safe"])
def test_the_answer_is_explained_by_its_bottleneck(run, what):
    assert invoke(run, what).stdout == invoke(run).stdout
    assert "the bottleneck" in invoke(run, what).stdout.splitlines()[0]


def test_a_number_of_the_plan_leads_to_its_resource(run):
    ceiling = json.loads(invoke(run, "memory", "--json").stdout)["explanation"]["ceiling"]["mid"]

    assert invoke(run, f"{ceiling:,.0f}").stdout.startswith("memory of the target: ")


def test_json_is_one_document(run):
    document = json.loads(invoke(run, "memory", "--json").stdout)

    assert (document["kind"], document["explanation"]["resource"]) == ("explanation", "memory")


def test_a_misspelt_resource_gets_a_hint(run):
    result = invoke(run, "memry")

    assert isinstance(result.exception, ConfigError)
    assert "did you mean memory?" in str(result.exception)


def test_a_number_that_is_not_in_the_plan_is_refused(run):
    result = invoke(run, "123456789")

    assert isinstance(result.exception, ConfigError)
    assert "no ceiling of this plan, and no number of its answers" in str(result.exception)


def test_a_run_without_a_plan_says_why(tmp_path):
    steps = PLANTED["PLANTING"]["crossed_steps"](levels=1)[:1]
    path = PLANTED["written"](tmp_path / "idle", PLANTED["record"](1, steps=steps))
    result = invoke(str(path))

    assert isinstance(result.exception, RunInvalidError)
    assert "no plan to explain" in str(result.exception)


def test_a_resource_without_a_ceiling_says_why(tmp_path):
    made = PLANTED["record"](1, steps=PLANTED["PLANTING"]["crossed_steps"](levels=4))
    samples = tuple(
        type(sample)(
            **{name: getattr(sample, name) for name in sample.__slots__}
            | {"used": {k: v for k, v in sample.used.items() if k != "memory"}}
        )
        for sample in made.samples
    )
    from dataclasses import replace

    path = PLANTED["written"](tmp_path / "blind", replace(made, samples=samples))
    result = invoke(str(path), "memory")

    assert isinstance(result.exception, RunInvalidError)
    assert "memory of the target sets no ceiling: usage not read" in str(result.exception)


@pytest.fixture(scope="module")
def sized(tmp_path_factory):
    path = PLANTED["written"](tmp_path_factory.mktemp("sized") / "planted", PLANTED["record"](1))
    demand = path.parent / "demand.yaml"
    demand.write_text(
        "demand: 1\nname: planted\nconnections: 20000\nas_of: 2026-12-01\ngrowth_per_month: 0.04\n"
        "growth_uncertainty: 0.02\nheadroom: 0.2\nzones: 2\nlost_zones: 1\n"
    )
    plan_run(path, *demanded(str(demand), None))
    return str(path)


def test_the_sizing_of_the_plan_before_is_explained(sized):
    told = json.loads(invoke(sized, "sizing", "--json").stdout)["explanation"]

    assert (told["run"], told["question"]) == ("run-1", "sizing")
    assert [part["heading"] for part in told["parts"]][::2] == ["Demand", "Arithmetic"]
    assert told["parts"][1]["rows"][0][:2] == ["as tested", "file descriptors"]
    assert invoke(sized, "sizing").stdout.startswith("sizing of run-1\n")


def test_a_number_of_the_sizing_leads_to_it(sized):
    assert invoke(sized, "20,000").stdout == invoke(sized, "sizing").stdout


@pytest.mark.parametrize("question", ["sizing", "exhaustion"])
def test_without_a_demand_there_is_nothing_to_explain(run, question):
    result = invoke(run, question)

    assert isinstance(result.exception, RunInvalidError)
    assert f"{question} has no answer: the plan was made without a demand" in str(result.exception)
