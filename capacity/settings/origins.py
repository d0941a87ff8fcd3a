"""Every value of a settings file as it is read, and where it is from: a line of it, or the default."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from capacity.settings import demand, job, profile, rules, target
from capacity.settings.yaml_files.yaml_file import load, text_of
from capacity.settings.yaml_files.yaml_nodes import Document, read

ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    "target": target.ADAPTER,
    "profile": profile.ADAPTER,
    "demand": demand.ADAPTER,
    "job": job.ADAPTER,
    "rules": rules.ADAPTER,
}
FOLDERS = {"target": "targets", "profile": "profiles", "demand": "demand", "job": "schedule"}
"""Kind -> folder of config/; what has none is named by its path."""
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    key: str
    """Place in the file, such as agent.url or steps[0].connections."""
    value: Any
    origin: str
    """`file:line`, or DEFAULT."""


def settings_in(kind: str, path: Path) -> list[Setting]:
    """Return the settings in the file at *path*. Raises ConfigError as its reader does."""
    adapter = ADAPTERS[kind]
    values = adapter.dump_python(load(path, adapter), mode="json", by_alias=True)
    return list(_leaves(values, (), read(text_of(path), str(path)), path))


def _leaves(
    value: Any, place: tuple[str | int, ...], document: Document, path: Path
) -> Iterator[Setting]:
    below: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = list(enumerate(value))
    if below:
        for step, each in below:
            yield from _leaves(each, (*place, step), document, path)
        return
    line = document.lines.get(place)
    origin = DEFAULT if line is None else f"{path}:{line}"
    yield Setting(key=_key(place), value=value, origin=origin)


def _key(place: tuple[str | int, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")
