"""Runs that were due and never came: a scheduler that is off tells nobody."""

from collections.abc import Iterable

from capacity.domain import units
from capacity.recording.history_row import HistoryRow
from capacity.recording.notices import Notice, NoticeKind


def missed_runs(row: HistoryRow, earlier: Iterable[HistoryRow], every_s: float) -> list[Notice]:
    """Return what is to be said of runs that are missing between *row* and the one before it.

    One is due each *every_s*; whatever came of a run, it is there. A clock that was set back, or the
    first run, say nothing.
    """
    starts = [
        each.started_at
        for each in earlier
        if each.job == row.job and each.run != row.run and each.started_at < row.started_at
    ]
    if not starts:
        return []
    last = max(starts)
    missing = round((row.started_at - last) / every_s) - 1
    if missing < 1:
        return []
    missed = "1 run is" if missing == 1 else f"{missing} runs are"
    return [
        Notice(
            kind=NoticeKind.RUNS_MISSED,
            statement=(
                f"{missed} missing before this one: the last was {units.moment(last)}, and one is due"
                f" every {every_s / 3600.0:g} h"
            ),
            is_regression=False,
        )
    ]
