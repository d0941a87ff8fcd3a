"""Dialect files."""

import json
from pathlib import Path

import pytest

from capacity.settings.dialect import dump, load_dialect, parse

SHIPPED = Path(__file__).parents[2] / "config" / "dialects"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_dialect_survives_the_way_to_a_worker(path):
    dialect = load_dialect(path)

    assert dialect.name == path.stem
    assert parse(json.loads(json.dumps(dump(dialect)))) == dialect


def test_the_plainest_dialect_is_a_dialect(dialect_file, plainest):
    assert load_dialect(dialect_file(plainest)).channels["a"].wire == "a.{symbol}"


def test_files_of_headers_are_relative_to_the_dialect(dialect_file, plainest, tmp_path):
    text = plainest.replace('/"}\nhttp', '/", headers: {A: {file: key}}}\nhttp')
    dialect_file(text)

    assert load_dialect(tmp_path / "d.yaml").ws.headers["A"].file == str(tmp_path / "key")
