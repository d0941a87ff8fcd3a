import runpy
from pathlib import Path

import pytest

from capacity.domain.errors import CapacityError
from capacity.recording.history_row import Outcome
from capacity.recording.retention import remove_expired

row_of = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))["row_of"]

NOW_AT = 1_800_000_000.0
DAY_S = 86_400.0


def row(run, *, age_s, job="nightly"):
    return row_of(
        run=run,
        job=job,
        started_at=NOW_AT - age_s - 60,
        finished_at=NOW_AT - age_s,
        outcome=Outcome.FAILED,
    )


@pytest.fixture
def runs(tmp_path):
    runs = tmp_path / "reports" / "runs"
    for name in ("old", "young", "unrecorded", "weekly"):
        (runs / name).mkdir(parents=True)
        (runs / name / "run.json").write_text("{}")
    (runs.parent / "example").mkdir()
    return runs


def removed(runs, history):
    return remove_expired(runs, history, job="nightly", keep_s=30 * DAY_S, now_at=NOW_AT)


def test_only_old_recorded_runs_of_the_job_are_removed(runs):
    history = [
        row("old", age_s=31 * DAY_S),
        row("young", age_s=29 * DAY_S),
        row("weekly", age_s=90 * DAY_S, job="weekly"),
        row("gone-already", age_s=60 * DAY_S),
    ]

    assert removed(runs, history) == ["old"]
    assert sorted(path.name for path in runs.iterdir()) == ["unrecorded", "weekly", "young"]


@pytest.mark.parametrize("name", ["../example", "..", ".", "", "/", "old/.."])
def test_no_name_leads_out_of_the_directory_of_runs(runs, name):
    before = sorted(runs.parent.rglob("*"))

    assert removed(runs, [row(name, age_s=90 * DAY_S)]) == []
    assert sorted(runs.parent.rglob("*")) == before


def test_a_link_and_what_it_points_to_are_left(runs):
    (runs / "linked").symlink_to(runs.parent / "example")

    assert removed(runs, [row("linked", age_s=90 * DAY_S)]) == []
    assert (runs.parent / "example").is_dir()


def test_without_any_run_nothing_is_removed(tmp_path):
    assert removed(tmp_path / "none", [row("old", age_s=90 * DAY_S)]) == []


def test_a_run_that_cannot_be_removed_is_told(runs, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    # Root may remove everything, so the refusal cannot be real here.
    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(CapacityError) as error:
        removed(runs, [row("old", age_s=90 * DAY_S)])

    assert str(error.value) == (f"{runs}/old: an expired run cannot be removed (Permission denied)")


def test_a_baseline_stays_however_old(runs):
    history = [row("old", age_s=3000 * DAY_S), row("young", age_s=40 * DAY_S)]
    gone = remove_expired(
        runs, history, job="nightly", keep_s=30 * DAY_S, now_at=NOW_AT, baselines=["old"]
    )

    assert gone == ["young"]
    assert (runs / "old" / "run.json").is_file()
