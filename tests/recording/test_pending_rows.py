import runpy
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, NotDeliveredError
from capacity.recording import history
from capacity.recording.pending_rows import deliver, keep

row_of = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))["row_of"]
FIRST, SECOND = row_of("nightly-1", unit_costs={"memory": {"limit": 1e9}}), row_of("nightly-2")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pending"


def test_a_kept_row_is_delivered_whole_and_then_no_longer_kept(folder, url):
    keep(folder, url, FIRST)
    keep(folder, url, SECOND)

    assert deliver(folder, url) == ["nightly-1", "nightly-2"]
    assert sorted(history.rows(url), key=lambda row: row.run) == [FIRST, SECOND]
    assert list(folder.iterdir()) == []
    assert deliver(folder, url) == []


def test_a_row_that_was_delivered_before_the_process_died_is_there_once(folder, url):
    keep(folder, url, FIRST)
    history.append(url, FIRST)
    deliver(folder, url)

    assert history.rows(url) == [FIRST]
    assert list(folder.iterdir()) == []


def test_rows_for_another_history_wait_for_it(folder, tmp_path):
    here, there = str(tmp_path / "here.sqlite"), str(tmp_path / "there.sqlite")
    keep(folder, there, FIRST)

    assert deliver(folder, here) == []
    assert deliver(folder, there) == ["nightly-1"]


def test_a_history_that_cannot_be_reached_costs_no_row(folder, postgres):
    url = postgres.new_database()
    away = url.replace(f":{postgres.port}/", ":1/")
    kept = keep(folder, away, FIRST)
    with pytest.raises(NotDeliveredError):
        deliver(folder, away)

    assert kept.is_file()


def test_a_broken_file_is_named_and_keeps_no_other_row_back(folder, tmp_path):
    url = str(tmp_path / "history.sqlite")
    keep(folder, url, SECOND)
    (folder / "a.json").write_text('{"history": ')
    with pytest.raises(ConfigError, match=r"a\.json: not a row of the history"):
        deliver(folder, url)

    assert history.rows(url) == [SECOND]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"nightly-1\.json: cannot be written"):
        keep(tmp_path / "file" / "pending", "x.sqlite", FIRST)
