"""`capacity scheduled JOB`: one run from load to history row, for systemd, cron and CronJobs.

A run locks its target, so that no scheduler has to; it ends in time; and whatever comes of it (a
plan, an excuse, a failure), the history gets its row and the exit code says the worst of it. A history
that cannot be reached costs neither report nor row: the row waits in reports/pending for the next run.
"""

import contextlib
import json
import math
import os
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from capacity.cli.check import checked, raise_if_failed
from capacity.cli.helping.completion import names
from capacity.cli.helping.console import answer_console
from capacity.cli.measure import measure
from capacity.cli.plan import plan_run, print_answer, write_whole
from capacity.cli.report import NOTICES_FILE, write_report
from capacity.cli.scheduling import announcing
from capacity.cli.scheduling.history_entry import row_of
from capacity.cli.scheduling.limit_watch import changed_limits
from capacity.cli.scheduling.time_limit import StoppedError, ending_in_time
from capacity.delivery import retrying
from capacity.domain.errors import (
    CapacityError,
    ConfigError,
    LockedError,
    NotDeliveredError,
    RegressionError,
    RunInvalidError,
)
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.words import printable
from capacity.loadgen.run_path import RUNS
from capacity.recording import history, pending_rows
from capacity.recording.history_row import HistoryRow
from capacity.recording.missed_runs import missed_runs
from capacity.recording.notices import Notice, notices
from capacity.recording.retention import remove_expired
from capacity.reporting.formats import junit
from capacity.reporting.verdict import verdict
from capacity.settings.job import Job, load_job
from capacity.settings.locate import find
from capacity.settings.target import load_target

PLANNED_AT = "CAPACITY_PLANNED_AT"
RULES_FILE = "rules.xml"
PENDING = Path("reports/pending")
MOST_EARLIER = 200
"""Rows of the job that are looked through for comparable ones."""
DAY_S, HOUR_S = 86_400.0, 3600.0
HISTORY_RETRY_S = 60.0
"""For how long a history that does not answer is asked again, once the report is written."""


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a run, filled in stage by stage."""

    target: str
    """The target's own name; the job's word for it until its file is read."""
    answer: CapacityPlan | Excuse | None = None
    reports: list[Path] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Runs whose directories were removed because they expired."""
    notices: list[Notice] = field(default_factory=list)
    """What the history shows to be not as it was."""
    failures: list[CapacityError] = field(default_factory=list)
    """In the order of the stages; the first one gives the exit code."""


@click.command()
@click.argument("job", shell_complete=names("schedule"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--quiet", is_flag=True, help="Print the headline and the reports, no tables.")
def command(job: str, *, as_json: bool, quiet: bool) -> None:
    """Run JOB once: measure, plan, report, add a row to the history.

    JOB is a file, or a name under config/schedule. If another run is loading the same target, the
    command exits at once with code 75. CAPACITY_PLANNED_AT (epoch seconds) records when the
    run was due. A run with less capacity, another bottleneck or a lower limit than those before it
    says so in its first line and exits with code 11. So does a limit of the target that is lower than
    the last run of JOB recorded; it is read before any load.
    """
    settings = load_job(find("schedule", job))
    started_at = time.time()
    row, result = run_job(settings, planned_at=planned_start(), started_at=started_at)
    if as_json:
        click.echo(_document(row, result))
    else:
        _print(result, quiet=quiet)
    for failure in result.failures[1:]:
        click.echo(f"capacity: {failure}", err=True)
    if result.failures:
        raise result.failures[0]


def _print(result: Result, *, quiet: bool) -> None:
    for notice in result.notices:
        click.echo(printable(notice.headline))
    if result.answer is None:
        return
    if quiet:
        click.echo(printable(verdict(result.answer).headline))
    else:
        print_answer(result.answer, answer_console())
    for path in result.reports:
        click.echo(path)


def planned_start() -> float | None:
    """Return when the scheduler meant the run to start, if it says so."""
    text = os.environ.get(PLANNED_AT)
    if not text:
        return None
    try:
        planned_at = float(text)
    except ValueError:
        planned_at = math.nan
    if not math.isfinite(planned_at):
        raise ConfigError(
            f"{PLANNED_AT}: {text!r} is not a time; give epoch seconds, as `date +%s` prints"
        )
    return planned_at


def run_job(job: Job, *, planned_at: float | None, started_at: float) -> tuple[HistoryRow, Result]:
    """Run *job* once; return its row in the history and what else came of it.

    Raises LockedError, and writes no row, when the target is busy: nothing was run.
    """
    # Where it is not reached now, it may be later: the row is brought to it then, or kept.
    with contextlib.suppress(NotDeliveredError):
        history.prepare(job.history)
    run = RUNS / f"{datetime.fromtimestamp(started_at, UTC):%Y%m%dT%H%M%SZ}-{job.name}"
    result = Result(target=job.target)
    try:
        with ending_in_time(job.max_duration_s):
            _measure_and_report(job, run, result)
    except LockedError:
        raise
    except CapacityError as error:
        result.failures.append(error)
    except SystemExit as end:
        # While it measures, SIGTERM unwinds it like this.
        result.failures.append(StoppedError(int(end.code or 0)))
    except Exception as defect:
        # Of any type: a defect has its row in the history, and is raised anew.
        result.failures.append(CapacityError(f"defect in this program: {defect!r}"))
        _record(job, _row(job, run, planned_at, started_at, result))
        raise
    _blame(result)
    row = _row(job, run, planned_at, started_at, result)
    try:
        _record(job, row)
        result.removed = remove_expired(
            RUNS,
            history.rows(job.history, job=job.name),
            job=job.name,
            keep_s=job.keep_runs_days * DAY_S,
            now_at=row.finished_at,
            baselines=history.baselines(job.history).values(),
        )
    except CapacityError as error:
        result.failures.append(error)
    if job.publish:
        told = tuple(notice.headline for notice in result.notices)
        result.failures += announcing.announce(
            job.publish, run, row, answer=result.answer, notices=told, failures=result.failures
        )
    return row, result


def _record(job: Job, row: HistoryRow) -> None:
    """Have the history take *row*, and those of runs before that it did not take."""
    kept = pending_rows.keep(PENDING, job.history, row)
    try:
        retrying.retried(
            lambda: pending_rows.deliver(PENDING, job.history), deadline_s=HISTORY_RETRY_S
        )
    except NotDeliveredError as error:
        raise NotDeliveredError(f"{error}; the next run delivers {kept}") from None


def _measure_and_report(job: Job, run: Path, result: Result) -> None:
    target_path, profile_path = find("targets", job.target), find("profiles", job.profile)
    target = load_target(target_path)
    result.target = target.name
    result.notices = changed_limits(RUNS, job.name, target)
    measure(
        target_path,
        profile_path,
        workers=job.workers,
        run=run,
        timeout_s=job.max_duration_s,
        quiet=True,
    )
    result.answer = plan_run(run)
    if isinstance(result.answer, Excuse):
        result.failures.append(RunInvalidError(f"{run}: no plan: {result.answer.reason}"))
    else:
        _look_back(job, run, result)
    result.reports = write_report(run, job.formats)
    if job.rules is not None:
        results = checked(str(run), Path(job.rules))
        write_whole(run / RULES_FILE, junit.render(results, run.name))
        raise_if_failed(results)


def _look_back(job: Job, run: Path, result: Result) -> None:
    """Compare the run with those before it; what is noticed goes into the reports of the run."""
    row = _row(job, run, None, time.time(), result)
    try:
        history.prepare(job.history)
        earlier = history.rows(job.history, job=job.name, limit=MOST_EARLIER)
        baseline = history.baseline_of(job.history, row)
    except NotDeliveredError as error:
        result.failures.append(
            NotDeliveredError(f"{error}; the run was not compared with those before it")
        )
        return
    changed = result.notices
    result.notices = notices(row, earlier, baseline)
    if job.every_h is not None:
        result.notices += missed_runs(row, earlier, job.every_h * HOUR_S)
    result.notices = sorted([*result.notices, *changed], key=lambda each: not each.is_regression)
    if result.notices:
        document = {"notices": [notice.headline for notice in result.notices]}
        write_whole(run / NOTICES_FILE, json.dumps(document, indent=2) + "\n")
    _blame(result)


def _blame(result: Result) -> None:
    """Have what got worse among the failures, once."""
    worse = [notice.statement for notice in result.notices if notice.is_regression]
    if worse and not any(isinstance(each, RegressionError) for each in result.failures):
        result.failures.append(RegressionError("; ".join(worse)))


def _row(
    job: Job, run: Path, planned_at: float | None, started_at: float, result: Result
) -> HistoryRow:
    return row_of(
        job,
        run,
        target=result.target,
        answer=result.answer,
        reason=str(result.failures[0]) if result.failures else None,
        planned_at=planned_at,
        started_at=started_at,
    )


def _document(row: HistoryRow, result: Result) -> str:
    document = {
        **asdict(row),
        "reports": [str(path) for path in result.reports],
        "removed_runs": result.removed,
        "notices": [asdict(notice) for notice in result.notices],
        "problems": [str(failure) for failure in result.failures],
    }
    return json.dumps(document, indent=2)
