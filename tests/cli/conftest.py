"""The least of a run and of a plan, where a test needs one and does not care what is in it."""

import runpy
from pathlib import Path

import pytest

from capacity.domain.target import TargetSpec

RECORDS = runpy.run_path(str(Path(__file__).parents[1] / "bare_records.py"))
TARGET = """\
target: 1
name: here
host: 127.0.0.1
port: {port}
dialect: json-push
symbols: [x]
channels: [updates]
{agent}
"""


@pytest.fixture
def write_target(tmp_path):
    """Write the file of a target on a port of this host, which reads the limits itself; return its path."""

    def write(port, agent="agent: {{local: {{port: {port}}}}}"):
        path = tmp_path / "target.yaml"
        path.write_text(TARGET.format(port=port, agent=agent.format(port=port)))
        return path

    return write


@pytest.fixture
def bare_manifest():
    target = TargetSpec.from_document({"name": "here", "limits": {}})
    return RECORDS["manifest_of"](target=target, same_host=True)


@pytest.fixture
def bare_step():
    return RECORDS["observation_of"](
        RECORDS["step_of"](40, requests_per_s=0.0, ramp_timeout_s=9.0, plateau_s=1.0)
    )


@pytest.fixture
def bare_plan():
    return RECORDS["plan_of"]()
