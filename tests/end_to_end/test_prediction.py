"""The claim itself: from at most a quarter of the load, where does the bundled exchange break?"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.recording.run_directory import load

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.xdist_group("load")]

PROFILE = """\
profile: 1
name: short
kind: safe
fraction: 0.25
levels: 3
connects_per_s: 400
settle_s: 1
plateau_s: 4
ramp_timeout_s: 15
mix: {subscriptions_per_connection: 2, requests_per_s_per_connection: 0.02}
"""


DESCRIPTOR_LIMIT = 2048


def test_descriptors_are_predicted_within_one_percent_of_the_breaking_point(tmp_path):
    profile = tmp_path / "short.yaml"
    profile.write_text(PROFILE)
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "capacity.cli.main", "demo", "--verify"),
            *("--descriptor-limit", str(DESCRIPTOR_LIMIT), "--profile", str(profile)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    said = re.search(r"Predicted (\d+) connections from (\d+), measured (\d+)", finished.stdout)
    assert said is not None, finished.stdout
    predicted, tested, measured = map(int, said.groups())
    [run] = [path for path in Path(tmp_path, "reports/runs").iterdir() if "break" not in path.name]
    plan = json.loads((run / "plan.json").read_text())["plan"]

    # Up to the rounding of the connections that the poller sockets are counted against.
    print(f"descriptor limit {DESCRIPTOR_LIMIT}: {said[0]}")

    assert tested <= measured * 0.251
    assert abs(predicted / measured - 1) <= 0.01
    assert plan["binding"] == "descriptors"
    assert sum(step.gaps + step.lost for step in load(run).steps) == 0
    assert (run / "report.html").stat().st_size < 300_000
