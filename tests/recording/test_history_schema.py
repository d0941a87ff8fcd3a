import pytest

from capacity.domain.errors import ConfigError
from capacity.recording.history_database import connected, database_of
from capacity.recording.history_schema import LATEST, Schema, revision_of, schema_of


@pytest.fixture
def connection(tmp_path):
    with connected(database_of(str(tmp_path / "history.sqlite"))) as connection:
        yield connection


def has_revision(connection, text):
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
    connection.exec_driver_sql("DELETE FROM alembic_version")
    connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{text}')")


def test_what_has_no_tables_is_no_history(connection):
    assert (schema_of(connection, "here"), revision_of(connection)) == (Schema.NONE, None)


def test_what_was_made_before_migrations_is_older(connection):
    connection.exec_driver_sql("CREATE TABLE history_schema (version INTEGER)")

    assert (schema_of(connection, "here"), revision_of(connection)) == (Schema.OLDER, None)


def test_the_latest_is_known_and_the_one_behind_it_is_not(connection):
    has_revision(connection, LATEST)
    assert schema_of(connection, "here") is Schema.LATEST

    for newer in (str(int(LATEST) + 1), "5f3a"):
        has_revision(connection, newer)
        with pytest.raises(ConfigError, match=f"here: the history has schema {newer}, this"):
            schema_of(connection, "here")
