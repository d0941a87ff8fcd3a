import json
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.cli.publishing.kept_reports import keep
from capacity.domain.errors import ConfigError

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "reporting" / "example_run.py"))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).parents[2] / "reporting" / "example_plan.py"))


@pytest.fixture(scope="module")
def record():
    return EXAMPLE["make_record"]()


@pytest.fixture(scope="module")
def plan():
    return EXAMPLE_PLAN["make_plan"]()


def test_each_run_has_its_page_and_a_line_of_the_index(tmp_path, record, plan):
    keep(tmp_path, record, plan, ())
    keep(tmp_path, record, replace(plan, run="another"), ("Changed: more",))
    index = (tmp_path / "index.html").read_text()

    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(
        [f"{plan.run}.html", "another.html"]
    )
    assert all(f'href="reports/{run}.html"' in index for run in (plan.run, "another"))
    assert "Changed: more" in (tmp_path / "reports/another.html").read_text()


def test_a_run_that_is_published_again_takes_its_own_place(tmp_path, record, plan):
    keep(tmp_path, record, plan, ())
    keep(tmp_path, record, replace(plan, safe_capacity=7), ())
    (entry,) = json.loads((tmp_path / "published.json").read_text())["reports"]

    assert entry["safe_capacity_connections"] == 7


def test_no_name_of_a_run_leads_out_of_the_directory(tmp_path, record, plan):
    written = keep(tmp_path / "out", record, replace(plan, run="../../evil"), ())

    assert all(path.resolve().is_relative_to(tmp_path / "out") for path in written)
    assert 'href="reports/..%252F..%252Fevil.html"' in (tmp_path / "out/index.html").read_text()


@pytest.mark.parametrize("text", ["[]", "{", '{"published": 2, "reports": []}'])
def test_a_list_that_is_not_ours_is_left_as_it_is(tmp_path, record, plan, text):
    (tmp_path / "published.json").write_text(text)
    with pytest.raises(ConfigError, match=r"published\.json: "):
        keep(tmp_path, record, plan, ())

    assert [path.name for path in tmp_path.iterdir()] == ["published.json"]
    assert (tmp_path / "published.json").read_text() == text
