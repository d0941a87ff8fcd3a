"""What of this host stands in the way of a run: its cores, its disk, other runs on it."""

import os
import shutil
from collections.abc import Iterator

from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import CapacityError, LockedError
from capacity.loadgen.checks.attempts import failure, ok
from capacity.loadgen.run_path import RUNS
from capacity.planning.safety import readiness
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks


def host_findings(address: str, workers: int) -> Iterator[Finding]:
    """Yield what is found here for a run of *workers* against *address* (HOST:PORT)."""
    yield readiness.generator_cores(workers, len(os.sched_getaffinity(0)))
    yield _of_other_runs(address)
    folder = next(path for path in (RUNS.absolute(), *RUNS.absolute().parents) if path.exists())
    if os.access(folder, os.W_OK):
        yield readiness.disk(shutil.disk_usage(folder).free, str(RUNS))
    else:
        yield Finding(
            name="disk",
            status=Status.FAILURE,
            statement=f"{folder} is not writable",
            remedy="Run from a directory where reports/ can be created, or set --run",
        )


def _of_other_runs(address: str) -> Finding:
    try:
        with locked(place_of_locks(), address, run="doctor"):
            return ok("other runs", f"no other run is loading {address}")
    except LockedError as error:
        return Finding(
            name="other runs",
            status=Status.WARNING,
            statement=str(error),
            remedy="Wait until it has finished: two concurrent runs disturb each other",
        )
    except CapacityError as error:
        return failure("other runs", error)
