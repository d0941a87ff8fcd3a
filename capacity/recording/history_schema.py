"""Which schema a history has. Revisions are whole numbers, each for a file in migrations/versions."""

from enum import Enum

import sqlalchemy as sa

from capacity.domain.errors import ConfigError
from capacity.recording.history_tables import VERSIONS

FIRST = "1"
"""What histories have that were made before migrations."""
LATEST = "2"
_REVISIONS = sa.table("alembic_version", sa.column("version_num"))


class Schema(Enum):
    NONE = "none"
    OLDER = "older"
    LATEST = "latest"


def schema_of(connection: sa.Connection, name: str) -> Schema:
    """Return what is there of a history. Raises ConfigError on what a newer program made."""
    found = revision_of(connection)
    if found is None and sa.inspect(connection).has_table(VERSIONS.name):
        found = FIRST
    if found is None:
        return Schema.NONE
    if not found.isdigit() or int(found) > int(LATEST):
        raise ConfigError(
            f"{name}: the history has schema {found}, this program knows up to {LATEST};"
            " update it or name another history"
        )
    return Schema.LATEST if found == LATEST else Schema.OLDER


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision that Alembic left; None where it has not been."""
    if not sa.inspect(connection).has_table(_REVISIONS.name):
        return None
    return connection.scalar(sa.select(_REVISIONS.c.version_num))
