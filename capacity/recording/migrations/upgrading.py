"""Brings a history to the schema that this program knows, whichever version made it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from capacity.recording.history_schema import FIRST, LATEST, Schema, revision_of, schema_of

_LOCK = 0x6361_7061_6369_7479
"""Ours among PostgreSQL's advisory locks: two first runs at once make the tables once."""


def upgrade(connection: sa.Connection, name: str) -> None:
    """Upgrade within the transaction that *connection* is in. Raises ConfigError as schema_of."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    schema = schema_of(connection, name)
    if schema is Schema.LATEST:
        return
    config = _config()
    config.attributes["connection"] = connection
    if schema is Schema.OLDER and revision_of(connection) is None:
        command.stamp(config, FIRST)
    command.upgrade(config, LATEST)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
