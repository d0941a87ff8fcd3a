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


def planned_row(run="nightly-1", *, due_at, **told):
    """Return the row of a run that was due then and found 1,021 connections, changed as told."""
    usual = {
        "planned_at": due_at,
        "started_at": due_at + 12.0,
        "finished_at": due_at + 112.0,
        "capacity_low_connections": 980.0,
        "capacity_mid_connections": 1021.0,
        "capacity_high_connections": 1060.0,
        "safe_capacity_connections": 985,
        "binding": "descriptors",
    }
    return row_of(run, **(usual | told))


def failed_row(run, *, started_at, **told):
    """Return the row of a run that found nobody there, changed as told."""
    usual = {
        "finished_at": started_at + 1.0,
        "outcome": Outcome.FAILED,
        "reason": "127.0.0.1:8080 does not answer",
    }
    return row_of(run, started_at=started_at, **(usual | told))
