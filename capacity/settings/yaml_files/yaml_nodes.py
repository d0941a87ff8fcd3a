"""YAML as plain data together with the line of every key and value.

Scalars follow the YAML 1.2 core schema, so that `on`, `yes`, 10:30 and 2026-01-01 are the texts
they look like. Duplicate keys, keys that are no text, tags of other languages and aliases that
multiply are errors.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from capacity.domain.errors import ConfigError, ContentError

MOST_NODES = 20_000
MOST_DEPTH = 40
_LARGEST = 1e18
_SHOWN = 40
_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")
)

Location = tuple[str | int, ...]


Problem = tuple[int, Location, str]
"""Line, place and what is wrong there."""


class _CoreLoader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own form


for _kind, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", "[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"(?:{_pattern})$"), _first
    )


@dataclass(slots=True)
class Document:
    """A YAML file that was read."""

    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict)
    """Line, from 1, of every key and list item by its place."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with keys and scalars, whatever the file is about."""
    nodes: int = 0

    def line_of(self, place: Location) -> int:
        """Return the line of *place*, or of the innermost mapping around it that exists."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def place_of(self, location: Location) -> Location:
        """Return *location* without the steps that a validator adds for its own branches."""
        place: Location = ()
        for step in location[:-1]:
            if (*place, step) in self.lines:
                place = (*place, step)
        return (*place, *location[-1:])


class _TooMuchError(Exception):
    pass


def read(text: str, shown: str) -> Document:
    """Return *text* as data; *shown* names the file in the ConfigError of unreadable YAML."""
    try:
        root = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"{shown}:{mark.line + 1}" if mark else shown
        wrong = f"{line}: not valid YAML: {error.problem or error.context}"
        if "'\\t'" in wrong:
            wrong += "; indent with spaces, not with tabs"
        raise ContentError(wrong, places=(line,)) from None
    except yaml.YAMLError as error:
        wrong = f"{shown}: not valid YAML: {' '.join(str(error).split())}"
        raise ContentError(wrong, places=(shown,)) from None
    except RecursionError:
        raise ConfigError(f"{shown}: nested too deeply, at most {MOST_DEPTH} levels") from None
    if root is None:
        raise ConfigError(f"{shown}: the file is empty; config/README.md lists its keys")
    document = Document()
    try:
        document.data = _value(root, (), document)
    except _TooMuchError as error:
        raise ConfigError(f"{shown}: {error}") from None
    return document


def _value(node: yaml.Node, place: Location, document: Document) -> Any:
    document.nodes += 1
    document.lines.setdefault(place, node.start_mark.line + 1)
    if document.nodes > MOST_NODES:
        raise _TooMuchError(f"more than {MOST_NODES} values, aliases counted where they are used")
    if len(place) > MOST_DEPTH:
        raise _TooMuchError(f"nested too deeply, at most {MOST_DEPTH} levels")
    if node.tag not in _TAGS:
        text = f"has the tag {node.tag}, which means nothing here; remove it"
        document.problems.append((node.start_mark.line + 1, place, text))
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*place, n), document) for n, child in enumerate(node.value)]
    return _scalar(node, place, document)


def _mapping(node: yaml.MappingNode, place: Location, document: Document) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag != "tag:yaml.org,2002:str":
            shown = key_node.value if isinstance(key_node, yaml.ScalarNode) else "a collection"
            text = f"a key must be text (got {shown}); put it in quotes"
            document.problems.append((line, place, text))
            continue
        key = key_node.value
        if key in data:
            first = document.lines[(*place, key)]
            text = f"is given twice, first in line {first}; keep one"
            document.problems.append((line, (*place, key), text))
            continue
        document.lines[(*place, key)] = line
        data[key] = _value(value_node, (*place, key), document)
    return data


def _scalar(node: yaml.Node, place: Location, document: Document) -> Any:
    text = node.value
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if kind == "str" and not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    number = _number(kind, text)
    if number is None:
        line = node.start_mark.line + 1
        document.problems.append((line, place, f"not a usable value (got {text[:_SHOWN]!a})"))
    return number


def _number(kind: str, text: str) -> float | None:
    """Return a finite number of at most 18 digits, what else is written as one is a mistake."""
    try:
        number = int(text) if kind == "int" else float(text) if kind == "float" else math.nan
    except ValueError:
        return None
    return number if abs(number) < _LARGEST else None
