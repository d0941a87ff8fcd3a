"""config/schemas/ says what the models say, and the shipped files are valid by it."""

import json
from pathlib import Path

import pytest

from capacity.settings import schemas

FOLDER = Path(__file__).parents[2] / "config" / "schemas"


def test_every_kind_of_file_has_its_schema_as_it_is_now(tmp_path):
    schemas.main(tmp_path)

    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(
        f"{kind}.json" for kind in schemas.ADAPTERS
    )
    for path in tmp_path.iterdir():
        assert (FOLDER / path.name).read_text("utf-8") == path.read_text("utf-8"), (
            "python -m capacity.settings.schemas"
        )


@pytest.mark.parametrize("kind", sorted(schemas.ADAPTERS))
def test_a_schema_knows_its_keys_and_allows_no_others(kind):
    found = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    tops = [found] if "properties" in found else list(found["$defs"].values())
    known = [top for top in tops if kind in top.get("properties", {})]

    assert known
    assert all(top["additionalProperties"] is False for top in known)
