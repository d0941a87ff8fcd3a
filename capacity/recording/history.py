"""The history: one row for each scheduled run, kept when the run itself is long removed.

Rows are only ever added: no row is changed, and a run has one row. A history that an earlier version
made is upgraded when it is first used.
"""

from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa

from capacity.domain.errors import ConfigError
from capacity.recording.history_database import connected, database_of, is_file, shown
from capacity.recording.history_row import HistoryRow, Outcome
from capacity.recording.history_schema import Schema, schema_of
from capacity.recording.history_tables import BASELINES, RUNS, VERSIONS


def prepare(url: str) -> None:
    """Create the history unless it is there, or upgrade it.

    Raises ConfigError if it could not take a row, NotDeliveredError if it cannot be reached.
    """
    from capacity.recording.migrations.upgrading import (  # noqa: PLC0415 - reading needs no Alembic
        upgrade,
    )

    database = database_of(url)
    if is_file(database) and database.database:
        directory = Path(database.database).parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{directory}: cannot be created for the history ({error.strerror})"
            ) from None
        with connected(database, begin="") as connection:
            # A reader (`capacity history list`) then never keeps a writer waiting. The mode stays
            # in the file, and cannot be set within a transaction.
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with connected(database, begin="BEGIN IMMEDIATE") as connection, connection.begin():
        upgrade(connection, shown(database))
        # A write even when it changes nothing, so that a read-only history is told before any load.
        connection.execute(VERSIONS.update().values(version=VERSIONS.c.version))


def append(url: str, row: HistoryRow) -> None:
    """Add *row*; nothing is done if it is there already. Raises ConfigError if its run has another."""
    prepare(url)
    database = database_of(url)
    with connected(database, begin="BEGIN IMMEDIATE") as connection:
        try:
            with connection.begin():
                connection.execute(
                    RUNS.insert().values(**{**asdict(row), "outcome": row.outcome.value})
                )
        except sa.exc.IntegrityError:
            is_there = rows(url, run=row.run) == [row]
        else:
            return
    if not is_there:
        raise ConfigError(
            f"{shown(database)}: run {row.run} is in the history already, and rows are never "
            "overwritten; give the run another name"
        )


def rows(
    url: str,
    *,
    run: str | None = None,
    target: str | None = None,
    job: str | None = None,
    since_at: float | None = None,
    limit: int | None = None,
    headlines: bool = False,
) -> list[HistoryRow]:
    """Return the runs in the history, the latest first; for *headlines* without costs, environment."""
    database = _there(url)
    columns = [each for each in RUNS.c if not headlines or not isinstance(each.type, sa.JSON)]
    query = sa.select(*columns).order_by(RUNS.c.started_at.desc(), RUNS.c.run.desc()).limit(limit)
    for column, wanted in ((RUNS.c.run, run), (RUNS.c.target, target), (RUNS.c.job, job)):
        if wanted is not None:
            query = query.where(column == wanted)
    if since_at is not None:
        query = query.where(RUNS.c.started_at >= since_at)
    with connected(database) as connection:
        found = connection.execute(query).mappings().all()
    return [HistoryRow(**{**row, "outcome": Outcome(row["outcome"])}) for row in found]


def baselines(url: str) -> dict[tuple[str, str], str]:
    """Return (job, target) -> the run that was chosen as their baseline."""
    with connected(_there(url)) as connection:
        found = connection.execute(sa.select(BASELINES)).mappings().all()
    return {(row["job"], row["target"]): row["run"] for row in found}


def baseline_of(url: str, row: HistoryRow) -> HistoryRow | None:
    """Return the run that was chosen for the job and target of *row*; None without one."""
    run = baselines(url).get((row.job, row.target))
    return None if run is None else next(iter(rows(url, run=run)), None)


def choose_baseline(url: str, row: HistoryRow, chosen_at: float) -> None:
    """Have later runs of the job and target of *row* compared with it, in place of any before."""
    with (
        connected(_there(url), begin="BEGIN IMMEDIATE") as connection,
        connection.begin(),
    ):
        _remove_baseline(connection, row.job, row.target)
        connection.execute(
            BASELINES.insert().values(
                job=row.job, target=row.target, run=row.run, chosen_at=chosen_at
            )
        )


def forget_baseline(url: str, job: str, target: str) -> None:
    """Compare later runs of *job* on *target* with those before them alone."""
    with (
        connected(_there(url), begin="BEGIN IMMEDIATE") as connection,
        connection.begin(),
    ):
        _remove_baseline(connection, job, target)


def _remove_baseline(connection: sa.Connection, job: str, target: str) -> None:
    connection.execute(
        BASELINES.delete().where(BASELINES.c.job == job, BASELINES.c.target == target)
    )


def _there(url: str) -> sa.URL:
    """Return the database, upgraded. Raises ConfigError if there is no history in it."""
    database = database_of(url)
    name = shown(database)
    schema = Schema.NONE
    if not is_file(database) or Path(database.database or "").is_file():
        with connected(database) as connection:
            schema = schema_of(connection, name)
    if schema is Schema.NONE:
        raise ConfigError(f"{name}: there is no history; `capacity scheduled JOB` starts one")
    if schema is Schema.OLDER:
        prepare(url)
    return database
