import runpy
import shutil
import socket
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, NotDeliveredError
from capacity.recording import history_database
from capacity.recording.history import (
    append,
    baselines,
    choose_baseline,
    forget_baseline,
    prepare,
    rows,
)

ROWS = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))
row_of = ROWS["row_of"]

PLANNED = ROWS["planned_row"](
    due_at=1_795_000_000.25,
    capacity_high_connections=1060.5,
    extrapolation_ratio=4.0,
    fingerprint="00ff",
    unit_costs={"descriptors": {"unit": "descriptors", "baseline": {"mid": 10.0}}},
    environment={"host": "exchange-1", "cores": 2},
)
FAILED = ROWS["failed_row"]("nightly-2", target="other", started_at=1_795_086_400.0)


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "reports" / "history.sqlite")


def test_what_was_appended_is_read_back_whole(url):
    append(url, PLANNED)
    append(url, FAILED)

    assert rows(url) == [FAILED, PLANNED]


def test_rows_of_one_target_alone_can_be_asked_for(url):
    append(url, PLANNED)
    append(url, FAILED)

    assert rows(url, target="demo") == [PLANNED]


def test_rows_are_found_by_run_job_and_time(url):
    append(url, PLANNED)
    append(url, FAILED)

    assert rows(url, run="nightly-2") == [FAILED]
    assert rows(url, job="weekly") == []
    assert rows(url, since_at=FAILED.started_at) == [FAILED]
    assert rows(url, since_at=PLANNED.started_at) == [FAILED, PLANNED]


def test_the_limit_keeps_the_latest(url):
    append(url, FAILED)
    append(url, PLANNED)

    assert rows(url, limit=1) == [FAILED]


def test_a_run_has_one_row(url):
    append(url, PLANNED)
    with pytest.raises(ConfigError) as error:
        append(url, replace(PLANNED, binding="memory"))

    assert rows(url) == [PLANNED]
    assert "run nightly-1 is in the history already, and rows are never overwritten" in str(
        error.value
    )


def test_the_same_row_again_changes_nothing(url):
    append(url, PLANNED)
    append(url, PLANNED)

    assert rows(url) == [PLANNED]


def test_an_absent_number_is_null_in_the_file_and_not_zero(file):
    append(file, FAILED)
    connection = sqlite3.connect(file)
    stored = connection.execute(
        "SELECT capacity_mid_connections, planned_at, unit_costs FROM runs"
    ).fetchall()
    connection.close()

    assert stored == [(None, None, None)]


def test_the_file_is_in_wal_mode_so_that_readers_keep_no_writer_waiting(file):
    prepare(file)
    reader = sqlite3.connect(file)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM runs").fetchall()
    append(file, PLANNED)
    reader.close()

    assert rows(file) == [PLANNED]


FIRST_RUN = """
import sys
from capacity.recording.history import append
from capacity.recording.history_row import HistoryRow, Outcome
append(sys.argv[1], HistoryRow(
    run=sys.argv[2], job="nightly", target="demo", profile="safe", planned_at=None,
    started_at=1.0, finished_at=2.0, outcome=Outcome.FAILED,
))
"""


def test_first_runs_at_the_same_moment_are_all_recorded(url):
    names = {"one", "two", "three", "four"}
    runs = [subprocess.Popen([sys.executable, "-c", FIRST_RUN, url, name]) for name in names]
    exit_codes = [run.wait() for run in runs]

    assert exit_codes == [0] * 4
    assert {row.run for row in rows(url)} == names


def test_a_history_of_a_newer_program_is_refused(file):
    prepare(file)
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '3'")
    connection.commit()
    connection.close()

    for use in (rows, prepare, lambda url: append(url, PLANNED)):
        with pytest.raises(ConfigError, match="the history has schema 3, this program knows up to"):
            use(file)


def test_a_history_that_is_none_is_named(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("bought milk\n" * 500)
    for use in (rows, prepare):
        with pytest.raises(ConfigError) as error:
            use(str(text))

        assert str(error.value) == (
            f"{text}: the history cannot be used (file is not a database); "
            "repair it or name another one"
        )


def test_a_torn_history_is_told_and_left_as_it_is(file, tmp_path):
    append(file, FAILED)
    copy = tmp_path / "torn.sqlite"
    shutil.copy(file, copy)
    with copy.open("r+b") as torn:
        torn.seek(100)
        torn.write(b"\xff" * 8000)
    damaged = copy.read_bytes()
    with pytest.raises(ConfigError, match=r"torn\.sqlite: the history cannot be used"):
        append(str(copy), PLANNED)

    assert copy.read_bytes()[100:8100] == damaged[100:8100]


def test_a_place_that_cannot_be_written_is_told_before_any_load(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as error:
        prepare(str(tmp_path / "file" / "history.sqlite"))

    assert str(error.value) == (
        f"{tmp_path / 'file'}: cannot be created for the history (File exists)"
    )


def test_reading_a_history_that_is_not_there_creates_none(file, tmp_path):
    with pytest.raises(ConfigError) as error:
        rows(file)

    assert str(error.value) == f"{file}: there is no history; `capacity scheduled JOB` starts one"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["nosuchdb://ann:hunter2@db/capacity", "postgresql://ann:hunter2@[db:x/capacity"]
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(url):
    with pytest.raises(ConfigError) as error:
        prepare(url)

    assert "hunter2" not in str(error.value)


def test_an_sqlite_url_is_as_good_as_a_path(file):
    append(f"sqlite:///{file}", PLANNED)

    assert rows(file) == [PLANNED]


def test_a_server_that_does_not_answer_is_told_as_one_and_without_its_password(postgres):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        for use in (rows, prepare, lambda url: append(url, PLANNED)):
            with pytest.raises(NotDeliveredError) as error:
                use(f"postgresql://ann:hunter2@127.0.0.1:{port}/capacity")

            assert "the history cannot be reached" in str(error.value)
            assert "hunter2" not in str(error.value)


def test_reading_an_empty_database_makes_nothing_in_it(postgres):
    url = postgres.new_database()
    for _ in range(2):
        with pytest.raises(ConfigError, match="there is no history"):
            rows(url)


def test_a_file_that_somebody_else_writes_for_long_is_busy_and_not_broken(file, monkeypatch):
    monkeypatch.setattr(history_database, "STATEMENT_TIMEOUT_S", 0.05)
    prepare(file)
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotDeliveredError, match=r"cannot be reached \(database is locked"):
        append(file, PLANNED)
    writer.close()

    assert rows(file) == []


def test_a_baseline_is_chosen_changed_and_forgotten(url):
    append(url, PLANNED)
    append(url, FAILED)
    assert baselines(url) == {}

    choose_baseline(url, PLANNED, 1e9)
    choose_baseline(url, replace(PLANNED, run="nightly-9"), 2e9)
    choose_baseline(url, FAILED, 2e9)
    assert baselines(url) == {("nightly", "demo"): "nightly-9", ("nightly", "other"): "nightly-2"}

    forget_baseline(url, "nightly", "demo")
    assert baselines(url) == {("nightly", "other"): "nightly-2"}
