"""The history: one row for each scheduled run, kept when the run itself is long removed.

A path names an SQLite file, anything with "://" is a database URL (PostgreSQL needs its driver).
Rows are only ever added: no row is changed, and a run has one row.

Schema history: 1 - first version.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from capacity.domain.errors import ConfigError
from capacity.recording.history_row import HistoryRow, Outcome

SCHEMA_VERSION = 1


_METADATA = sa.MetaData()
_VERSIONS = sa.Table(
    "history_schema", _METADATA, sa.Column("version", sa.Integer, primary_key=True)
)
_RUNS = sa.Table(
    "runs",
    _METADATA,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("planned_at", sa.Double),
    sa.Column("started_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("capacity_low_connections", sa.Double),
    sa.Column("capacity_mid_connections", sa.Double),
    sa.Column("capacity_high_connections", sa.Double),
    sa.Column("safe_capacity_connections", sa.Integer),
    sa.Column("binding", sa.Text),
    sa.Column("extrapolation_ratio", sa.Double),
    sa.Column("fingerprint", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("unit_costs", sa.JSON(none_as_null=True)),
    sa.CheckConstraint("outcome IN ('plan', 'excuse', 'failed')", name="outcome_is_known"),
)


def prepare(url: str) -> None:
    """Create the history unless it is there. Raises ConfigError if it could not take a row."""
    database = _database(url)
    if database.get_backend_name() == "sqlite" and database.database:
        directory = Path(database.database).parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{directory}: cannot be created for the history ({error.strerror})"
            ) from None
    with _connection(database) as connection:
        if connection.dialect.name == "sqlite":
            # A reader (`capacity history list`) then never keeps a writer waiting. The mode stays
            # in the file, and cannot be set within a transaction.
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.rollback()
        with connection.begin():
            for table in _METADATA.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
            # One statement, so that two first runs leave one version; and a write even when it
            # adds nothing, so that a read-only history is told here, before any load.
            is_new = sa.select(sa.literal(SCHEMA_VERSION)).where(~sa.exists(sa.select(_VERSIONS)))
            connection.execute(_VERSIONS.insert().from_select(["version"], is_new))
            _check_version(connection, database)


def append(url: str, row: HistoryRow) -> None:
    """Add *row*. Raises ConfigError if its run has a row already."""
    prepare(url)
    database = _database(url)
    with _connection(database) as connection, connection.begin():
        try:
            connection.execute(
                _RUNS.insert().values(**{**asdict(row), "outcome": row.outcome.value})
            )
        except sa.exc.IntegrityError:
            raise ConfigError(
                f"{_shown(database)}: run {row.run} is in the history already, and rows are never "
                "overwritten; give the run another name"
            ) from None


def rows(
    url: str,
    *,
    target: str | None = None,
    job: str | None = None,
    since_at: float | None = None,
    limit: int | None = None,
) -> list[HistoryRow]:
    """Return the runs in the history, the latest first."""
    database = _database(url)
    is_file = database.get_backend_name() == "sqlite"
    if is_file and not Path(database.database or "").is_file():
        raise ConfigError(
            f"{database.database}: there is no history; `capacity scheduled JOB` starts one"
        )
    query = sa.select(_RUNS).order_by(_RUNS.c.started_at.desc(), _RUNS.c.run.desc()).limit(limit)
    if target is not None:
        query = query.where(_RUNS.c.target == target)
    if job is not None:
        query = query.where(_RUNS.c.job == job)
    if since_at is not None:
        query = query.where(_RUNS.c.started_at >= since_at)
    with _connection(database) as connection:
        _check_version(connection, database)
        found = connection.execute(query).mappings().all()
    return [HistoryRow(**{**row, "outcome": Outcome(row["outcome"])}) for row in found]


def _database(url: str) -> sa.URL:
    if "://" not in url:
        return sa.URL.create("sqlite", database=url)
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # The text is not repeated: it may hold a password.
        raise ConfigError(
            "history: no database URL; write a path, or postgresql+psycopg://user@host/database"
        ) from None


@contextlib.contextmanager
def _connection(database: sa.URL) -> Iterator[sa.Connection]:
    shown = _shown(database)
    try:
        engine = sa.create_engine(database, poolclass=NullPool)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise ConfigError(
            f"{shown}: no driver for this database ({error}); install it, or name an SQLite file"
        ) from None
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        cause = str(error.orig).strip().partition("\n")[0]
        raise ConfigError(
            f"{shown}: the history cannot be used ({cause}); repair it or name another one"
        ) from None


def _check_version(connection: sa.Connection, database: sa.URL) -> None:
    version = connection.scalar(sa.select(_VERSIONS.c.version))
    if version != SCHEMA_VERSION:
        raise ConfigError(
            f"{_shown(database)}: the history has schema {version}, this program knows "
            f"{SCHEMA_VERSION}; update it or name another history"
        )


def _shown(database: sa.URL) -> str:
    if database.get_backend_name() == "sqlite":
        return str(database.database)
    return database.render_as_string(hide_password=True)
