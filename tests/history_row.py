"""A row of the history as a night's run leaves it, where a test cares about some of it only."""

from capacity.recording.history_row import HistoryRow, Outcome


def row_of(run="nightly-1", *, started_at=1e9, **told):
    """Return the row of a planned run that took 100 s, changed as told."""
    usual = {
        "job": "nightly",
        "target": "demo",
        "profile": "safe",
        "planned_at": None,
        "finished_at": started_at + 100.0,
        "outcome": Outcome.PLAN,
    }
    return HistoryRow(run=run, started_at=started_at, **(usual | told))
