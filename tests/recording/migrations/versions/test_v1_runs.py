import sqlite3

from capacity.recording.history_database import connected, database_of
from capacity.recording.migrations import upgrading


def columns(file):
    connection = sqlite3.connect(file)
    found = {
        table: connection.execute(f"PRAGMA table_info({table})").fetchall()
        for table in ("runs", "history_schema")
    }
    versions = connection.execute("SELECT version FROM history_schema").fetchall()
    connection.close()
    return found, versions


def test_the_first_migration_makes_what_version_0_1_made(root, tmp_path):
    file = tmp_path / "history.sqlite"
    with connected(database_of(str(file))) as connection, connection.begin():
        config = upgrading._config()
        config.attributes["connection"] = connection
        upgrading.command.upgrade(config, "1")

    assert columns(file) == columns(root / "tests/data/history-of-version-0.1.sqlite")
