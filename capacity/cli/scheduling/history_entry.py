"""What the history gets of a run of a job, whatever came of it."""

import time
from dataclasses import replace
from pathlib import Path

from capacity.domain.errors import ConfigError
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunManifest
from capacity.recording import run_directory
from capacity.recording.history_row import (
    HistoryRow,
    Outcome,
    environment_of,
    fingerprint_of,
    unit_costs_of,
)
from capacity.settings.job import Job


def row_of(
    job: Job,
    run: Path,
    *,
    target: str,
    answer: CapacityPlan | Excuse | None,
    reason: str | None,
    planned_at: float | None,
    started_at: float,
) -> HistoryRow:
    """Return the row of *run*, which ends now; *reason* says what failed, as far as anything did."""
    manifest = _manifest(run)
    row = HistoryRow(
        run=run.name,
        job=job.name,
        target=target,
        profile=job.profile,
        planned_at=planned_at,
        started_at=started_at,
        finished_at=time.time(),
        outcome=Outcome.FAILED,
        reason=reason,
        fingerprint=None if manifest is None else fingerprint_of(manifest),
        environment=None if manifest is None else environment_of(manifest),
    )
    if isinstance(answer, Excuse):
        return replace(row, outcome=Outcome.EXCUSE, reason=answer.reason)
    if answer is None:
        return row
    return replace(
        row,
        outcome=Outcome.PLAN,
        capacity_low_connections=answer.capacity.low,
        capacity_mid_connections=answer.capacity.mid,
        capacity_high_connections=answer.capacity.high,
        safe_capacity_connections=answer.safe_capacity,
        binding=answer.binding.value,
        extrapolation_ratio=answer.extrapolation_ratio,
        unit_costs=unit_costs_of(answer),
    )


def _manifest(run: Path) -> RunManifest | None:
    try:
        return run_directory.load(run).manifest
    except ConfigError:
        # It failed before there was a whole manifest.
        return None
