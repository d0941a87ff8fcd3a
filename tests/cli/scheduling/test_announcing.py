import json
import runpy
from pathlib import Path

import pytest

from capacity.cli.publishing import receivers
from capacity.cli.scheduling.announcing import announce, check
from capacity.domain.errors import ConfigError, RegressionError, RunInvalidError
from capacity.recording.run_directory import RunWriter

TESTS = Path(__file__).parents[2]
EXAMPLE_PLAN = runpy.run_path(str(TESTS / "reporting" / "example_plan.py"))
row_of = runpy.run_path(str(TESTS / "history_row.py"))["row_of"]


@pytest.fixture
def posted(monkeypatch):
    """What a webhook gets, without one."""
    bodies = []
    monkeypatch.setattr(
        receivers.webhook, "post", lambda _url, _headers, body: bodies.append(json.loads(body))
    )
    return bodies


@pytest.fixture
def run(tmp_path, bare_manifest):
    RunWriter(tmp_path / "nightly-1", bare_manifest)
    return tmp_path / "nightly-1"


def test_a_regression_is_told_as_one_and_the_report_kept(run, tmp_path, posted):
    told = ("Regression: capacity 590",)
    problems = announce(
        [str(tmp_path / "out"), "https://x/"],
        run,
        row_of(),
        answer=EXAMPLE_PLAN["make_plan"](),
        notices=told,
        failures=[RegressionError("capacity 590")],
    )

    assert problems == []
    assert (tmp_path / "out/index.html").is_file()
    assert (posted[0]["kind"], posted[0]["lines"][0]) == ("capacity.regression", told[0])


def test_a_run_without_a_plan_is_told_and_published_nowhere(run, tmp_path, posted):
    announce(
        [str(tmp_path / "out"), "https://x/"],
        run,
        row_of(),
        answer=EXAMPLE_PLAN["make_excuse"](),
        notices=(),
        failures=[RunInvalidError("no plan: too little")],
    )

    assert not (tmp_path / "out").exists()
    assert posted[0]["kind"] == "capacity.failure"
    assert "no plan: too little" in posted[0]["text"]


def test_an_address_that_cannot_be_is_told_before_any_load():
    check(["reports/published"])
    with pytest.raises(ConfigError, match="must be a directory"):
        check(["reports/published", "gopher://x"])
