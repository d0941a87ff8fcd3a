"""Where a run is recorded when nobody says where."""

import time
from pathlib import Path

RUNS = Path("reports") / "runs"


def new_run_path(target: str, profile: str) -> Path:
    """Return a directory for a run that begins now; its name sorts by time."""
    began = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = RUNS / f"{began}-{target}-{profile}"
    number = 2
    while path.exists():
        path, number = RUNS / f"{began}-{target}-{profile}-{number}", number + 1
    return path
