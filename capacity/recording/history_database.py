"""Where a history is, and connections to it that end in time and say in a sentence what is wrong.

A path names an SQLite file, anything with "://" is a database URL. PostgreSQL needs its driver,
`pip install capacity[postgres]`, and finds passwords in its own ~/.pgpass.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from capacity.domain.errors import ConfigError, NotDeliveredError

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 30
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_POSTGRES = ("postgres", "postgresql")


def database_of(url: str) -> sa.URL:
    """Return the database that *url*, or a path, names. Raises ConfigError."""
    if "://" not in url:
        return sa.URL.create("sqlite", database=url)
    try:
        database = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # The text is not repeated: it may hold a password.
        raise ConfigError(
            "history: no database URL; write a path, or postgresql://user@host/database"
        ) from None
    if database.drivername in _POSTGRES:
        return database.set(drivername="postgresql+psycopg")
    return database


def is_file(database: sa.URL) -> bool:
    """Tell whether the history is an SQLite file."""
    return database.get_backend_name() == "sqlite"


def shown(database: sa.URL) -> str:
    """Return the name of the database for people, without its password."""
    if is_file(database):
        return str(database.database)
    return database.render_as_string(hide_password=True)


@contextlib.contextmanager
def connected(database: sa.URL, *, begin: str = "BEGIN") -> Iterator[sa.Connection]:
    """Connect to *database*; SQLite's transactions begin with *begin*, "" leaves that to the caller.

    Raises NotDeliveredError where it does not answer or is busy, which another try may mend, and
    ConfigError for all else.
    """
    try:
        engine = sa.create_engine(
            database, poolclass=NullPool, connect_args=_connect_arguments(database)
        )
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise ConfigError(
            f"{shown(database)}: no driver for this database ({error}); install it"
            " (`pip install 'capacity[postgres]'`), or name an SQLite file"
        ) from None
    _prepare_transactions(engine, begin)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise _told(error, database) from None


def _connect_arguments(database: sa.URL) -> dict[str, Any]:
    if database.get_backend_name() in _POSTGRES:
        return {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": STATEMENT_TIMEOUT_S * 1000,
        }
    return {"timeout": STATEMENT_TIMEOUT_S} if is_file(database) else {}


def _prepare_transactions(engine: sa.Engine, begin: str) -> None:
    """Have SQLite's driver begin no transaction of its own, which leaves tables out; give all an end."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
    statement = {
        "sqlite": begin,
        "postgresql": f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_S}s'",
    }.get(engine.dialect.name)
    if statement:
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(statement))


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _told(error: sa.exc.DBAPIError, database: sa.URL) -> ConfigError | NotDeliveredError:
    cause = str(error.orig).strip().partition("\n")[0]
    if is_file(database):
        is_passing = getattr(error.orig, "sqlite_errorcode", None) in _BUSY
    else:
        is_passing = isinstance(error, sa.exc.OperationalError)
    if is_passing:
        return NotDeliveredError(f"{shown(database)}: the history cannot be reached ({cause})")
    return ConfigError(
        f"{shown(database)}: the history cannot be used ({cause}); repair it or name another one"
    )
