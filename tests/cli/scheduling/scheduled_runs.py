"""A project with a job whose measurements take no time."""

import runpy
import shutil
import socket
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli.scheduling import scheduled
from capacity.domain.run import RunEvent
from capacity.recording.run_directory import RunWriter

row_of = runpy.run_path(str(Path(__file__).parents[2] / "history_row.py"))["row_of"]
ROOT = Path(__file__).parents[3]
HISTORY = "reports/history.sqlite"


@pytest.fixture
def port():
    """A port where nothing listens, and nothing else will while the test runs."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def project(tmp_path, monkeypatch, port):
    """A working directory with the shipped configuration, and a target nobody answers for."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    target = yaml.safe_load((ROOT / "config/targets/demo.yaml").read_text())
    target |= {"name": "here", "port": port}
    target["agent"] = None
    (tmp_path / "config/targets/here.yaml").write_text(yaml.safe_dump(target))
    job = yaml.safe_load((ROOT / "config/schedule/nightly.yaml").read_text())
    job |= {"target": "here", "profile": "quick", "history": HISTORY, "every_h": None}
    (tmp_path / "config/schedule/nightly.yaml").write_text(yaml.safe_dump(job))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAPACITY_PLANNED_AT", raising=False)
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(scheduled.command, ["nightly", *arguments])


@pytest.fixture
def record_no_step(bare_manifest):
    def measure(_target, _profile, *, run, **_settings):
        writer = RunWriter(run, bare_manifest)
        writer.append_event(RunEvent(at=2.0, kind="finished", detail={}))
        return run

    return measure


@pytest.fixture
def planned(monkeypatch, record_no_step, bare_plan):
    monkeypatch.setattr(scheduled, "measure", record_no_step)
    monkeypatch.setattr(scheduled, "plan_run", lambda _run: bare_plan)
    monkeypatch.setattr(scheduled, "write_report", lambda run, _formats: [run / "report.html"])
