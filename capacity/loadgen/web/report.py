"""The finished report of this session's run, made by a process of its own and served beside the page."""

import logging
import subprocess
import sys
from pathlib import Path

import gevent

from capacity.domain import units
from capacity.domain.words import printable

FILES = {"report.html": "text/html", "report.md": "text/markdown", "plan.json": "application/json"}
"""What is served of a run's directory, and nothing else."""
TIMEOUT_S = 300.0
"""Of each of its two parts, plan and report."""

logger = logging.getLogger(__name__)


class Report:
    def __init__(self) -> None:
        self._run: Path | None = None
        self._making: gevent.Greenlet | None = None
        self.problem = ""
        """Why there is no report of the newest run."""

    def follow(self, run: Path, demand: str, hosts: str) -> None:
        """Have the report of *run* made, once; sized for *demand* on *hosts* where these are named."""
        if run == self._run:
            return
        self._run, self.problem = run, ""
        self._making = gevent.spawn(self._make, run, demand, hosts)

    @property
    def is_being_made(self) -> bool:
        return self._making is not None and not self._making.dead

    def file(self, name: str, run: Path | None) -> Path | None:
        """Return a file of FILES of the newest *run*, None where there is no such file."""
        if name not in FILES or run is None or run != self._run or self.is_being_made:
            return None
        path = run.absolute() / name
        return path if path.is_file() and not path.is_symlink() else None

    def _make(self, run: Path, demand: str, hosts: str) -> None:
        sizing = ["--demand", demand] if demand else []
        sizing += ["--hosts", hosts] if demand and hosts else []
        try:
            self.problem = self._problem(str(run), sizing)
        except subprocess.TimeoutExpired:
            self.problem = f"not made within {units.duration(TIMEOUT_S)}"
        if self.problem:
            logger.error("report of %s: %s", run, self.problem)

    def _problem(self, run: str, sizing: list[str]) -> str:
        """Make the report, and return what is wrong with it; nothing if nothing is."""
        # A run that gives no plan has a report all the same: it says why.
        planned = self._call("plan", run, *sizing)
        reported = self._call("report", run)
        if not reported.returncode and not (planned.returncode and sizing):
            return ""
        failed = reported if reported.returncode else planned
        return printable((failed.stderr.strip().splitlines() or ["no report"])[-1])

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "capacity.cli.main", *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
