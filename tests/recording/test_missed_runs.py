import runpy
from pathlib import Path

import pytest

from capacity.recording.history_row import Outcome
from capacity.recording.missed_runs import missed_runs
from capacity.recording.notices import NoticeKind

row_of = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))["row_of"]
DAY_S = 86_400.0
BEFORE = row_of("before", started_at=1e9)


def after(days, **changes):
    return row_of("after", started_at=1e9 + days * DAY_S, **changes)


@pytest.mark.parametrize(
    ("days", "missing"), [(1.0, 0), (1.49, 0), (1.51, 1), (2.0, 1), (3.0, 2), (-1.0, 0), (0.1, 0)]
)
def test_as_many_are_missing_as_were_due_in_between(days, missing):
    found = missed_runs(after(days), [BEFORE], DAY_S)

    assert len(found) == (missing > 0)
    assert all(each.statement.startswith(str(missing)) for each in found)


def test_it_is_said_with_the_last_run_and_is_no_regression():
    (found,) = missed_runs(after(3.0), [BEFORE], DAY_S)

    assert (found.kind, found.is_regression) == (NoticeKind.RUNS_MISSED, False)
    assert found.statement == (
        "2 runs are missing before this one: the last was 2001-09-09 01:46:40 UTC, and one is due"
        " every 24 h"
    )


def test_a_run_that_failed_was_there_and_another_jobs_was_not():
    failed = row_of("failed", started_at=1e9 + DAY_S, outcome=Outcome.FAILED)
    weekly = row_of("weekly", started_at=1e9 + DAY_S, job="weekly")

    assert missed_runs(after(2.0), [BEFORE, failed], DAY_S) == []
    assert len(missed_runs(after(2.0), [BEFORE, weekly], DAY_S)) == 1


def test_the_first_run_misses_none():
    assert missed_runs(after(9.0), [after(9.0)], DAY_S) == []
