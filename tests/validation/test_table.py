"""The README's headline is what the results say."""

import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def table():
    """Run the module as `make validate` does, with its folder on the path."""
    sys.path.insert(0, str(HERE))
    try:
        yield runpy.run_path(str(HERE / "table.py"))
    finally:
        sys.path.remove(str(HERE))
        for path in HERE.glob("*.py"):
            sys.modules.pop(path.stem, None)


def test_the_headline_is_of_the_results_that_there_are(table, root):
    rows = table["rows"]
    shipped, _counts = rows.latest(rows.read(rows.SHIPPED))
    lines = table["headline"](shipped, rows.read(rows.TOLD))
    readme = (root / "README.md").read_text()

    assert "\n".join([table["BEGIN"], *lines, table["END"]]) in readme, (
        "run: python tests/validation/table.py"
    )


def test_one_more_miss_is_told(table):
    rows = table["rows"]
    shipped, _counts = rows.latest(rows.read(rows.SHIPPED))
    told = rows.read(rows.TOLD)
    worse = dict(shipped[0], truth=shipped[0]["truth"] / 4)

    assert table["headline"](shipped, told) != table["headline"]([*shipped, worse], told)
