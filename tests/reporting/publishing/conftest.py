import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from capacity.reporting.publishing.publication import Publication

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "example_run.py"))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parents[1] / "example_plan.py"))


@pytest.fixture(scope="session")
def about():
    """A plan to publish: safe capacity 19,208, bottleneck file descriptors."""
    return Publication(
        record=EXAMPLE["make_record"](),
        plan=EXAMPLE_PLAN["make_plan"](),
        workload="feed",
        namespace="market",
        headroom_ratio=0.25,
        selector='job="feed"',
    )


@pytest.fixture
def promtool():
    """Run promtool; it must succeed."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")

    def run(*arguments, text=None):
        done = subprocess.run(
            [program, *arguments], input=text, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
