"""A file of a process as nodes: TOML by its name, YAML and JSON else."""

import re
import tomllib
from typing import Any, NamedTuple

from capacity.monitor.limits.applications.documents.flow import MOST_DEPTH
from capacity.monitor.limits.applications.documents.node import Node
from capacity.monitor.limits.applications.documents.plain_yaml import parse
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import UnclearError

_LINE = re.compile(r"at line (\d+)")
_KEY = re.compile(r"""\s*(?:[\w-]+\.)*([\w-]+)\s*=""", re.ASCII)


def document(process: Process, path: str) -> Node:
    """Return what a file says; OSError and UnclearError say why nobody knows."""
    text = process.files.text(path)
    note = process.changed(path)
    return toml(text, path, note) if path.endswith(".toml") else parse(text, path, note)


def toml(text: str, path: str, note: str = "") -> Node:
    """Return what TOML says; a line is known of keys that stand in one place alone."""
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = _LINE.search(str(error))
        where = f"{path}:{line[1]}" if line is not None else path
        raise UnclearError("it is no TOML that can be parsed", f"{where}{note}") from None
    return _Nodes(path, note, _lines(text)).node(found, 0, 0)


class _Nodes(NamedTuple):
    path: str
    note: str
    lines: dict[str, int]

    def node(self, value: Any, line: int, depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise UnclearError(f"more than {MOST_DEPTH} deep", f"{self.path}{self.note}")
        below: str | list[Node] | dict[str, Node]
        if isinstance(value, dict):
            below = {
                key: self.node(each, self.lines.get(key, 0), depth + 1)
                for key, each in value.items()
            }
        elif isinstance(value, list):
            below = [self.node(each, line, depth + 1) for each in value]
        else:
            below = str(value).lower() if isinstance(value, bool) else str(value)
        return Node(below, self.path, line, self.note)


def _lines(text: str) -> dict[str, int]:
    """Return the line of each key that one line alone assigns."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        key = _KEY.match(line)
        if key is not None:
            found[key[1]] = 0 if key[1] in found else number
    return found
