import json
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from capacity.cli.check import command
from capacity.domain.errors import ConfigError, RuleError

PLANTED = runpy.run_path(
    str(Path(__file__).parents[1] / "planning" / "comparison" / "planted_change.py")
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "planted"
    return str(PLANTED["written"](path, PLANTED["record"](1)))


@pytest.fixture
def rules(tmp_path):
    def write(*lines):
        path = tmp_path / "rules.yaml"
        path.write_text("rules: 1\ncheck:\n" + "".join(f"  - {line}\n" for line in lines))
        return str(path)

    return write


def invoke(run, rules, *arguments):
    return CliRunner().invoke(command, [run, "--rules", rules, *arguments])


def test_rules_that_hold_leave_with_exit_code_0(run, rules):
    result = invoke(run, rules("rule: capacity.safe >= 900", "rule: bottleneck not in [unknown]"))

    assert result.exit_code == 0
    assert result.stdout.count("passed") == 2


def test_a_rule_that_fails_leaves_with_exit_code_10_and_its_value(run, rules):
    result = invoke(run, rules("rule: capacity.safe >= 900", "rule: capacity.safe >= 2000"))

    assert isinstance(result.exception, RuleError)
    assert result.exception.exit_code == 10
    assert "1 rule of 2 failed, the first: capacity.safe >= 2000: capacity.safe is 98" in str(
        result.exception
    )


def test_a_warning_does_not_fail(run, rules):
    result = invoke(run, rules("{rule: capacity.safe >= 2000, level: warn}"))

    assert result.exit_code == 0
    assert "warned" in result.stdout


def test_a_figure_that_is_missing_fails(run, rules):
    result = invoke(run, rules("rule: delivery_delay.p99 <= 250 ms"))

    assert result.exception.exit_code == 10
    assert "delivery_delay.p99 is missing" in str(result.exception)


def test_headroom_takes_its_demand_from_a_file(run, rules, root):
    demand = str(root / "config/demand/example.yaml")
    document = json.loads(
        invoke(run, rules("rule: headroom <= 100 %"), "--demand", demand, "--json").stdout
    )

    assert document["rules"][0]["value"] < 1.0


def test_a_baseline_makes_changes_a_figure(run, rules, tmp_path):
    other = PLANTED["written"](
        tmp_path / "old", PLANTED["record"](2, descriptors=2048.0, name="old")
    )
    result = invoke(run, rules("rule: audit.changed == none"), "--baseline", str(other))

    assert result.exception.exit_code == 10
    assert "audit.changed is descriptors" in str(result.exception)


def test_junit_is_written_also_when_a_rule_fails(run, rules, tmp_path):
    path = tmp_path / "rules.xml"
    invoke(run, rules("rule: capacity.safe >= 2000"), "--junit", str(path))

    assert ET.parse(path).getroot().get("failures") == "1"


def test_a_file_that_is_not_there_is_said(run, tmp_path):
    result = invoke(run, str(tmp_path / "none.yaml"))

    assert isinstance(result.exception, ConfigError)
    assert "no such file" in str(result.exception)
