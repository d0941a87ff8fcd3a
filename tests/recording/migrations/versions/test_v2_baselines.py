import sqlite3

from capacity.recording.history import prepare


def test_runs_are_found_by_their_start_without_reading_all_of_them(tmp_path):
    file = tmp_path / "history.sqlite"
    prepare(str(file))
    connection = sqlite3.connect(file)
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT run FROM runs ORDER BY started_at DESC LIMIT 30"
    ).fetchall()
    connection.close()

    assert "USING INDEX runs_by_start" in plan[0][-1]


def test_a_job_has_one_baseline_for_each_target(tmp_path):
    file = tmp_path / "history.sqlite"
    prepare(str(file))
    connection = sqlite3.connect(file)
    keys = [row[1] for row in connection.execute("PRAGMA table_info(baselines)") if row[5]]
    connection.close()

    assert keys == ["job", "target"]
