import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.cli.publishing.published import as_shipped, publishable, tell_of, write_all
from capacity.domain.errors import ConfigError, RunInvalidError

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "reporting" / "example_run.py"))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parents[2] / "reporting" / "example_plan.py"))
RUN = Path("reports/runs/one")


@pytest.fixture(scope="module")
def plan():
    return EXAMPLE_PLAN["make_plan"]()


def test_a_plan_that_may_be_acted_on_is_returned(plan):
    assert publishable(plan, RUN) is plan


def test_an_excuse_and_a_capacity_of_none_are_refused(plan):
    for answer in (EXAMPLE_PLAN["make_excuse"](), replace(plan, safe_capacity=0)):
        with pytest.raises(RunInvalidError, match=r"reports/runs/one: "):
            publishable(answer, RUN)


def test_a_directory_that_cannot_be_is_told(tmp_path, plan):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file; name a directory"):
        write_all(tmp_path / "file", as_shipped(EXAMPLE["make_record"](), plan), (), {})


def test_nobody_to_tell_is_nothing_that_failed(plan):
    assert tell_of(as_shipped(EXAMPLE["make_record"](), plan), [], ()) == []
