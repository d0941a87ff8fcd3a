"""config/schemas/*.json, for editors, written from the models: `python -m capacity.settings.schemas`.

An editor with a YAML language server checks and completes a file that begins with
`# yaml-language-server: $schema=../schemas/dialect.json`.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from capacity.settings import demand, dialect, hosts, job, profile, rules, target

ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "demand": demand.ADAPTER,
    "dialect": dialect.ADAPTER,
    "hosts": hosts.ADAPTER,
    "job": job.ADAPTER,
    "profile": profile.ADAPTER,
    "rules": rules.ADAPTER,
    "target": target.ADAPTER,
}
"""Kind of file -> what reads it."""
FOLDER = Path("config/schemas")


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one kind of file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ADAPTERS[kind].json_schema(),
        "title": f"capacity: {kind}",
    }


def text(kind: str) -> str:
    """Return the schema of one kind of file as it is shipped."""
    return json.dumps(schema(kind), indent=1, sort_keys=True) + "\n"


def main(folder: Path = FOLDER) -> None:
    """Write all schemas into *folder*."""
    folder.mkdir(exist_ok=True)
    for kind in ADAPTERS:
        (folder / f"{kind}.json").write_text(text(kind), encoding="utf-8")


if __name__ == "__main__":
    main()
