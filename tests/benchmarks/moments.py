"""How long somebody waits for what has to be there in a moment: plan, report, table, audit.

`make bench` prints the table, writes reports/benchmarks/moments.json, and fails where one of them
takes longer than it may.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hour_run
from rich.console import Console
from rich.table import Table

from capacity.monitor.host.target import TargetView, read_stat
from capacity.monitor.limits.audit import audit
from capacity.planning.live import live_rows
from capacity.planning.plan import plan

OUTPUT = Path("reports/benchmarks/moments.json")
TESTS = Path(__file__).parents[1]
PLANTED = runpy.run_path(str(TESTS / "planning" / "conftest.py"))
STEPS = runpy.run_path(str(TESTS / "planning" / "test_plan_invariants.py"))
TIMES = 5


def least_s(do: Callable[[], Any]) -> float:
    """Return the shortest of a few times that *do* takes: the others were held up."""
    took_s = []
    for _ in range(TIMES):
        began_s = time.perf_counter()
        do()
        took_s.append(time.perf_counter() - began_s)
    return min(took_s)


def plan_and_report(run: Path) -> None:
    """As typed: `capacity plan`, then `capacity report`."""
    program = Path(sys.executable).with_name("capacity")
    for command in (("plan", run, "--demand", "example", "--hosts", "example"), ("report", run)):
        subprocess.run([program, *command], stdout=subprocess.DEVNULL, check=True)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return measured_all(hour_run.written(Path(folder) / "hour"))


def measured_all(run: Path) -> int:
    venue = PLANTED["venue"].__wrapped__()
    pace = replace(PLANTED["PACE"], plateau_s=397.0)
    hour = replace(venue, steps=PLANTED["crossed_steps"](pace=pace)).record()
    varied = replace(venue, steps=STEPS["crossed"](60)).record()
    short = venue.record()
    stat = read_stat(os.getpid())
    assert stat is not None
    view = TargetView(name="this", started_at=1.0, stats={os.getpid(): stat})
    rows = [
        ("plan of an hour", 1.0, lambda: plan(hour)),
        ("plan and report of an hour, as commands", 2.0, lambda: plan_and_report(run)),
        ("plan of sixty steps with everything varied", 1.0, lambda: plan(varied)),
        (
            "table of the run so far",
            0.02,
            lambda: live_rows(short.steps, short.samples, short.manifest.agent.limits),
        ),
        ("audit of a process", 0.5, lambda: audit(view)),
    ]
    measured = [
        {"what": what, "most_s": most_s, "took_s": least_s(do)} for what, most_s, do in rows
    ]
    table = Table("what", "took, ms", "may take, ms")
    for row in measured:
        table.add_row(row["what"], f"{row['took_s'] * 1e3:.1f}", f"{row['most_s'] * 1e3:.0f}")
    Console().print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return int(any(row["took_s"] > row["most_s"] for row in measured))


if __name__ == "__main__":
    sys.exit(main())
