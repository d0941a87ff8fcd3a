"""
A run directory that an earlier version wrote is planned to the numbers that it was planned to then.

tests/data/run-of-version-0.1 is a demo's run of version 0.1.0 at 20 to 540 connections, thinned to
what a plan reads, with six digits a reading; the declared limit, the arrival limit and the
objectives were added to its target. Where a law of the models changes on purpose, these numbers do.
"""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.plan import command

RECORDED = Path(__file__).parent / "data" / "run-of-version-0.1"
CEILINGS = {
    "descriptors": (4_002, 4_010, 4_017),
    "application_connections": (4_899, 4_908, 4_918),
    "delivery_delay": (2_286.67, 10_919.2, 52_141.0),
    "event_loop": (9_526.22, 23_896.7, 54_837.4),
    "cpu": (15_712.7, 47_839.9, 136_963.0),
    "memory": (979_232, 1_520_729, 2_422_891),
}


def planned(run):
    result = CliRunner().invoke(command, [str(run), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["plan"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return planned(shutil.copytree(RECORDED, tmp_path_factory.mktemp("recorded") / "run"))


def edited(tmp_path, edit):
    run = shutil.copytree(RECORDED, tmp_path / "run")
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    edit(manifest["target"])
    (run / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    return run


def test_the_capacity_is_what_it_was(plan):
    assert plan["binding"] == "descriptors"
    assert plan["safe_capacity"] == 2_286
    assert plan["capacity"]["mid"] == 4_009
    assert plan["capacity"]["high"] == 4_017


def test_every_wall_stands_where_it_stood(plan):
    found = {
        wall["resource"]: tuple(wall["ceiling"][end] for end in ("low", "mid", "high"))
        for wall in plan["ladder"]
    }

    assert list(found) == list(CEILINGS)
    for resource, ceiling in CEILINGS.items():
        assert found[resource] == pytest.approx(ceiling, rel=1e-4)


def test_what_the_target_file_declared_is_used(plan):
    limits = {wall["resource"]: wall["limit"] for wall in plan["ladder"]}

    assert limits["application_connections"]["value"] == 5_000.0
    assert limits["application_connections"]["source"] == "the demo's own configuration"
    assert limits["delivery_delay"]["value"] == 0.1
    assert plan["advice"]["arrival_cost"]["admitted_per_s"] == 500.0


def test_the_same_is_doubted(plan):
    assert [doubt["kind"] for doubt in plan["doubts"]] == [
        "objective_not_forecast",
        "limit_changed",
        "poor_fit",
    ]
    assert [doubt["kind"] for doubt in plan["assumptions"]] == ["shared_host"]


def test_keys_of_another_version_in_its_target_change_nothing(tmp_path, plan):
    def of_another_version(target):
        del target["source_addresses"], target["rest"], target["proxy"]
        target["a_key_of_tomorrow"] = {"value": 1}
        target["slo"]["another_objective"] = {"quantile": 0.5, "limit_s": 1.0}

    found = planned(edited(tmp_path, of_another_version))

    assert found == plan


def test_a_target_that_says_nothing_of_limits_has_none(tmp_path):
    def bare(target):
        for key in ("limits", "slo", "arrival_limit"):
            del target[key]

    found = planned(edited(tmp_path, bare))

    resources = [wall["resource"] for wall in found["ladder"]]
    assert resources == ["descriptors", "event_loop", "cpu", "memory"]
