import pytest

from capacity.cli.scheduling.history_entry import row_of
from capacity.recording.history_row import Outcome, environment_of
from capacity.recording.run_directory import RunWriter
from capacity.settings.job import load_job


@pytest.fixture
def entry(root, tmp_path):
    job = load_job(root / "config/schedule/nightly.yaml")

    def made(answer, reason=None):
        return row_of(
            job,
            tmp_path / "nightly-1",
            target="demo",
            answer=answer,
            reason=reason,
            planned_at=None,
            started_at=1e9,
        )

    return made


def test_a_run_that_never_began_has_its_reason_and_no_environment(entry):
    row = entry(None, "nobody answers")

    assert (row.run, row.outcome, row.reason) == ("nightly-1", Outcome.FAILED, "nobody answers")
    assert row.environment is row.fingerprint is row.capacity_mid_connections is None


def test_a_plan_is_kept_with_what_it_ran_on(entry, tmp_path, bare_manifest, bare_plan):
    RunWriter(tmp_path / "nightly-1", bare_manifest)
    row = entry(bare_plan)

    assert row.outcome is Outcome.PLAN
    assert row.capacity_mid_connections == bare_plan.capacity.mid
    assert row.environment == environment_of(bare_manifest)
