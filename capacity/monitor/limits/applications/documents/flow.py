"""Mappings and lists in brackets, as JSON has them and YAML between its lines, over several lines or not."""

import json
import re
from collections.abc import Callable

from capacity.monitor.limits.applications.documents.node import Node
from capacity.monitor.limits.applications.settings import UnclearError

MOST_DEPTH = 64
QUOTED = r"""(?:"(?P<double>(?:[^"\\\n]|\\.)*)"|'(?P<single>(?:[^'\n]|'')*)')"""
_SPACE = re.compile(r"(?:\s|(?<=\s)#[^\n]*)*")
_STRING = re.compile(QUOTED)
_BITS = r"(?:[^\s,\[\]{}:#]|:(?=[^\s,\[\]{}])|(?<=\S)#)+"
_PLAIN = re.compile(rf"(?![-?](?:\s|$)|[&*!|>%@`'\"]){_BITS}(?:[ \t]+{_BITS})*")
_NOTHING = frozenset({"null", "Null", "NULL", "~", ""})


def beyond(why: str, path: str, line: int, note: str = "") -> UnclearError:
    """Return that a line is not read, and what to do instead."""
    return UnclearError(
        f"beyond the plain YAML that is read ({why}): declare the limit in the target file",
        f"{path}:{line}{note}",
    )


def plain_value(text: str) -> str | None:
    """Return a text without quotes; None where it says that there is nothing."""
    return None if text in _NOTHING else text


def unquoted(found: re.Match[str], error: Callable[[str], Exception]) -> str:
    """Return what stands between the quotes of QUOTED."""
    single = found["single"]
    if single is not None:
        return single.replace("''", "'")
    double = found["double"]
    if "\\" not in double:
        return double
    try:
        return str(json.loads(f'"{double}"'))
    except ValueError:
        raise error("an escape that JSON does not have") from None


class Flow:
    """Reads one value in brackets out of a longer text."""

    def __init__(self, text: str, path: str, note: str) -> None:
        self._text, self._path, self._note = text, path, note
        self._position = 0
        self.line = 1
        """Where it stands."""

    def read(self, position: int, line: int) -> tuple[Node, int]:
        """Return the value at *position*, which is on *line*, and where it ends."""
        self._position, self.line = position, line
        return self._value(0), self._position

    def _value(self, depth: int) -> Node:
        self._skip()
        if depth > MOST_DEPTH:
            raise self._beyond(f"more than {MOST_DEPTH} deep")
        line = self.line
        match self._here():
            case "{":
                value: str | list[Node] | dict[str, Node] | None = self._mapping(depth)
            case "[":
                value = self._list(depth)
            case _:
                value = self._scalar()
        return Node(value, self._path, line, self._note)

    def _list(self, depth: int) -> list[Node]:
        found: list[Node] = []
        self._position += 1
        while not self._is_closed("]"):
            found.append(self._value(depth + 1))
            self._comma("]")
        return found

    def _mapping(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        self._position += 1
        while not self._is_closed("}"):
            key = self._scalar() or ""
            self._skip()
            if key in found:
                raise self._beyond("a key that stands twice")
            if self._here() != ":":
                raise self._beyond("a key without a value")
            self._position += 1
            found[key] = self._value(depth + 1)
            self._comma("}")
        return found

    def _scalar(self) -> str | None:
        found = _STRING.match(self._text, self._position)
        if found is not None:
            self._position = found.end()
            return unquoted(found, self._beyond)
        found = _PLAIN.match(self._text, self._position)
        if found is None:
            raise self._beyond("something other than plain values between brackets")
        self._position = found.end()
        return plain_value(found[0])

    def _is_closed(self, bracket: str) -> bool:
        self._skip()
        if self._here() != bracket:
            return False
        self._position += 1
        return True

    def _comma(self, bracket: str) -> None:
        self._skip()
        if self._here() == ",":
            self._position += 1
        elif self._here() != bracket:
            raise self._beyond("a bracket that is not closed")

    def _here(self) -> str:
        return self._text[self._position : self._position + 1]

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._position)
        if found is not None:
            self.line += self._text.count("\n", self._position, found.end())
            self._position = found.end()

    def _beyond(self, why: str) -> UnclearError:
        return beyond(why, self._path, self.line, self._note)
