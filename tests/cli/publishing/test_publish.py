import json
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli.publishing import receivers
from capacity.cli.publishing.publish import command
from capacity.domain.errors import ConfigError, NotDeliveredError, RunInvalidError
from capacity.reporting.publishing.published_files import RENDERERS

PLANTED = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "comparison" / "planted_change.py")
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "planted"
    return str(PLANTED["written"](path, PLANTED["record"](1)))


@pytest.fixture
def publish(run, tmp_path, monkeypatch):
    """Publish from a directory without configuration, unless the test puts some there."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(command, [run, "--to", "out", *arguments])


def test_every_file_is_written_and_named(publish, tmp_path):
    result = publish("--json")

    (page,) = (tmp_path / "out/reports").iterdir()
    kept = [f"reports/{page.name}", "published.json", "index.html"]
    files = [f"out/{name}" for name in [*RENDERERS, *kept]]
    assert json.loads(result.stdout) == {"files": files, "problems": []}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *RENDERERS, "reports", "published.json", "index.html",
    }  # fmt: skip


def test_a_file_is_no_place_for_reports(run, tmp_path):
    (tmp_path / "rules.yaml").write_text("rules: 1\n")
    result = CliRunner().invoke(command, [run, "--to", str(tmp_path / "rules.yaml")])

    assert isinstance(result.exception, ConfigError)
    assert "rules.yaml: is a file; name a directory" in str(result.exception)


def test_alerts_are_about_the_safe_capacity_and_autoscalers_about_what_headroom_leaves(
    publish, tmp_path
):
    publish()

    assert "headroom\n" not in (tmp_path / "out/prometheus-rules.yaml").read_text()
    assert "less" not in (tmp_path / "out/openslo.yaml").read_text()
    assert "less 20% headroom" in (tmp_path / "out/hpa.yaml").read_text()


def test_who_cannot_be_reached_costs_no_file_and_has_an_exit_code(publish, tmp_path, monkeypatch):
    monkeypatch.setattr(receivers, "RETRY_S", 0.0)
    result = publish("--to", "http://127.0.0.1:1/secret-path")

    assert isinstance(result.exception, NotDeliveredError)
    assert result.exception.exit_code == 6
    assert "secret-path" not in str(result.exception)
    assert (tmp_path / "out/index.html").is_file()
    assert "out/index.html" in result.stdout


def test_the_target_for_each_pod_leaves_the_headroom_that_is_asked_for(publish, tmp_path):
    def target():
        manifest = yaml.safe_load((tmp_path / "out/hpa.yaml").read_text())
        return int(manifest["spec"]["metrics"][0]["pods"]["target"]["averageValue"])

    publish("--headroom", "0")
    whole = target()
    publish("--headroom", "50")
    half = target()
    publish()

    assert half == whole // 2
    assert target() == int(whole * 0.8)


def test_the_demands_headroom_counts_where_none_is_given(publish, tmp_path, root):
    demand = (
        (root / "config/demand/example.yaml").read_text().replace("headroom: 0.2", "headroom: 0.5")
    )
    (tmp_path / "demand.yaml").write_text(demand)
    publish("--headroom", "50")
    half = (tmp_path / "out/hpa.yaml").read_text()
    publish("--demand", "demand.yaml")

    assert (tmp_path / "out/hpa.yaml").read_text() == half


def test_rules_are_published_as_junit_where_there_are_some(publish, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/rules.yaml").write_text(
        "rules: 1\ncheck:\n  - rule: capacity.safe >= 5000\n"
    )
    result = publish()

    assert result.exit_code == 0
    assert ET.parse(tmp_path / "out/rules.xml").getroot().get("failures") == "1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--metric", "a b"], "--metric: must be a Prometheus metric's name"),
        (["--selector", 'job="a"} or vector(1'], "--selector: must be label matchers"),
        (["--namespace", "Up"], "--namespace: must be a DNS label"),
        (["--workload", "a/b"], "--workload: must be a DNS label"),
        (["--min-pods", "9", "--max-pods", "8"], "--min-pods: must not exceed --max-pods, 8"),
        (["--rules", "none.yaml"], "none.yaml: cannot be read"),
        (["--to", "ftp://x"], "must be a directory, https://"),
        (["--to", "mailto:ops@example.com"], "CAPACITY_SMTP_URL: is not set"),
    ],
)
def test_what_would_make_a_broken_file_is_refused_before_any_is_written(
    publish, tmp_path, arguments, said
):
    result = publish(*arguments)

    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_run_without_a_plan_publishes_nothing(tmp_path):
    steps = PLANTED["PLANTING"]["crossed_steps"](levels=1)[:1]
    path = PLANTED["written"](tmp_path / "idle", PLANTED["record"](1, steps=steps))
    result = CliRunner().invoke(command, [str(path), "--to", str(tmp_path / "out")])

    assert isinstance(result.exception, RunInvalidError)
    assert "no plan to publish" in str(result.exception)
