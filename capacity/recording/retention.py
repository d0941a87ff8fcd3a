"""Which run directories may go: a job's own, old enough, known to the history, and no baseline.

Only directories right below the given one are ever removed; a link is left alone.
"""

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from capacity.domain.errors import CapacityError
from capacity.recording.history_row import HistoryRow


def remove_expired(
    runs: Path,
    history: Iterable[HistoryRow],
    *,
    job: str,
    keep_s: float,
    now_at: float,
    baselines: Collection[str] = (),
) -> list[str]:
    """Remove the directories in *runs* of runs of *job* that ended over *keep_s* ago.

    Those of *baselines* stay, however old: later runs are compared with them.

    Returns the names of the removed runs.
    """
    expired = {row.run for row in history if row.job == job and row.finished_at < now_at - keep_s}
    expired -= set(baselines)
    removed = []
    # From the directory's own listing: no name in the history, whatever it holds, leads elsewhere.
    for path in sorted(runs.iterdir()) if runs.is_dir() else []:
        if path.name in expired and path.is_dir() and not path.is_symlink():
            try:
                shutil.rmtree(path)
            except OSError as error:
                raise CapacityError(
                    f"{error.filename or path}: an expired run cannot be removed ({error.strerror})"
                ) from None
            removed.append(path.name)
    return removed
