"""What a notebook or another program needs: a recorded run as data, and the plan of it.

>>> from capacity import Excuse, load_run, plan
>>> answer = plan(load_run("reports/runs/20261127T042800Z-demo-safe"))
>>> answer.reason if isinstance(answer, Excuse) else answer.safe_capacity
4006
"""

from os import PathLike
from pathlib import Path

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.planning.plan import plan as planned
from capacity.recording import run_directory

__all__ = ["CapacityPlan", "Excuse", "RunRecord", "load_run", "plan"]


def load_run(path: str | PathLike[str]) -> RunRecord:
    """Return the run in the directory *path*, such as reports/runs/NAME, however far it came.

    Raises ConfigError with file and line when it is no run or cannot be read.
    """
    return run_directory.load(Path(path))


def plan(record: RunRecord) -> CapacityPlan | Excuse:
    """Return what `capacity plan` finds in *record*, by the limits of its target file as well.

    Connections, with base units elsewhere (bytes, seconds, cores); the same record gives the same
    plan. Writes nothing.
    """
    return planned(record, declared=record.manifest.target.limits)
