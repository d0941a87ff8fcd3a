import sqlite3

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from capacity.domain.errors import ConfigError
from capacity.recording.history_database import connected, database_of
from capacity.recording.history_schema import FIRST, LATEST, Schema, schema_of
from capacity.recording.history_tables import METADATA, RUNS, VERSIONS
from capacity.recording.migrations import upgrading
from capacity.recording.migrations.upgrading import upgrade


def upgraded(url):
    with connected(database_of(url), begin="BEGIN IMMEDIATE") as connection, connection.begin():
        upgrade(connection, url)


def schema(url):
    with connected(database_of(url)) as connection:
        return schema_of(connection, url)


@pytest.fixture
def database(url, tmp_path):
    (tmp_path / "reports").mkdir()
    return url


def test_an_empty_database_is_none_and_then_the_latest(database):
    assert schema(database) is Schema.NONE
    upgraded(database)
    assert schema(database) is Schema.LATEST


def test_the_migrations_make_the_tables_that_the_program_knows(database):
    upgraded(database)
    with connected(database_of(database)) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, METADATA) == []


def test_the_latest_is_the_last_of_the_migrations():
    scripts = ScriptDirectory.from_config(upgrading._config())

    assert scripts.get_current_head() == LATEST
    assert scripts.get_base() == FIRST


def interrupted(url):
    with connected(database_of(url), begin="BEGIN IMMEDIATE") as connection, connection.begin():
        upgrade(connection, url)
        raise ZeroDivisionError


def test_nothing_is_left_of_an_upgrade_that_does_not_end(database):
    with pytest.raises(ZeroDivisionError):
        interrupted(database)

    assert schema(database) is Schema.NONE


def test_what_a_newer_program_made_is_left_as_it_is(database):
    upgraded(database)
    with connected(database_of(database)) as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '3'")
    for use in (schema, upgraded):
        with pytest.raises(
            ConfigError, match="has schema 3, this program knows up to 2; update it"
        ):
            use(database)


def test_a_history_of_version_0_1_is_upgraded_with_all_its_rows(root, tmp_path):
    file = tmp_path / "history.sqlite"
    file.write_bytes((root / "tests/data/history-of-version-0.1.sqlite").read_bytes())
    with sqlite3.connect(file) as connection:
        before = connection.execute("SELECT * FROM runs ORDER BY run").fetchall()
    connection.close()
    assert schema(str(file)) is Schema.OLDER
    upgraded(str(file))

    assert schema(str(file)) is Schema.LATEST
    with connected(database_of(str(file))) as connection:
        after = connection.execute(sa.text("SELECT * FROM runs ORDER BY run")).fetchall()
        assert len(before) == 2
        assert [(*row, None) for row in before] == [tuple(row) for row in after]
        assert set(RUNS.c.keys()) == {
            each["name"] for each in sa.inspect(connection).get_columns("runs")
        }
        # Version 0.1 itself then refuses it in words.
        assert connection.scalar(sa.select(VERSIONS.c.version)) == 2


def test_a_history_of_the_first_version_in_postgres_is_upgraded_too(postgres):
    url = postgres.new_database()
    with connected(database_of(url)) as connection, connection.begin():
        config = upgrading._config()
        config.attributes["connection"] = connection
        upgrading.command.upgrade(config, FIRST)
        # Before there were migrations nothing told of them.
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert schema(url) is Schema.OLDER
    upgraded(url)

    assert schema(url) is Schema.LATEST
