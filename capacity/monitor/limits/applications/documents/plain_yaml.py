"""The plain subset of YAML 1.2, and JSON as a part of it: mappings, lists and texts, each with its line.

What goes beyond it is not guessed at but unclear, with its line: anchors and aliases, tags, merged and
complex keys, texts over several lines, several documents, tabs, a key that stands twice. The text of a
block (`|`, `>`) is skipped, as no setting is in it; a file of a mebibyte takes less than a second.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from capacity.monitor.limits.applications.documents.flow import (
    MOST_DEPTH,
    QUOTED,
    Flow,
    beyond,
    plain_value,
    unquoted,
)
from capacity.monitor.limits.applications.documents.node import Node

_KEY = re.compile(
    rf"""(?:{QUOTED}[ ]*|(?P<plain>(?![-?](?:\s|$))[^\s,\[\]{{}}#&*!|>'"%@`][^\n]*?)):(?=\s|$)""",
    re.VERBOSE,
)
_QUOTED_VALUE = re.compile(rf"""{QUOTED}[ \t]*(?:$|[ \t]\#.*)""", re.VERBOSE)
_BLOCK = re.compile(r"[|>](?:[1-9][+-]?|[+-][1-9]?)?[ \t]*(?:$|[ \t]#.*)")
_MARKS = frozenset({"---", "..."})
"""Where a document begins and ends."""
_REST = re.compile(r"[ \t]*(?:[ \t]#[^\n]*)?(?:\r?\n|$)")
_COMMENT = re.compile(r"[ \t]#")


class _Line(NamedTuple):
    indent: int
    text: str
    number: int
    begins_at: int


def parse(text: str, path: str, note: str = "") -> Node:
    """Return what *text* says; UnclearError names the first line that is beyond the plain subset."""
    return _Parser(text.removeprefix("\ufeff"), path, note).document()


class _Parser:
    """Reads line by line; *_line* is the next one."""

    def __init__(self, text: str, path: str, note: str) -> None:
        self._text, self._path, self._note = text, path, note
        self._rest = _lines(text)
        self._line = next(self._rest, None)

    def document(self) -> Node:
        first = self._line
        if first is not None and first.text == "---":
            self._advance()
            first = self._line
        if first is None or first.text == "...":
            return Node(None, self._path, 1, self._note)
        found = self._block(first, 0)
        line = self._line
        if line is not None and line.text == "...":
            self._advance()
            line = self._line
        if line is not None:
            why = "a second document" if line.text.startswith("---") else "an odd indentation"
            raise self._beyond(why, line.number)
        return found

    def _block(self, line: _Line, depth: int) -> Node:
        """Return what begins at *line*, which is the next one."""
        if depth > MOST_DEPTH:
            raise self._beyond(f"more than {MOST_DEPTH} deep", line.number)
        if line.text.startswith("\t"):
            raise self._beyond("a tab as indentation", line.number)
        if _is_entry(line.text):
            return self._list(line, depth)
        if line.text[0] not in "{[" and _KEY.match(line.text):
            return self._mapping(line, depth)
        return self._value(line, line.text, line.indent - 1)

    def _list(self, first: _Line, depth: int) -> Node:
        found: list[Node] = []
        while (line := self._line) and line.indent == first.indent and _is_entry(line.text):
            rest = line.text[1:].lstrip(" ")
            if not rest or rest.startswith("#"):
                self._advance()
                found.append(self._below(line, first.indent, depth))
                continue
            moved = len(line.text) - len(rest)
            inner = line._replace(
                indent=line.indent + moved, text=rest, begins_at=line.begins_at + moved
            )
            self._line = inner
            found.append(self._block(inner, depth + 1))
        return Node(found, self._path, first.number, self._note)

    def _mapping(self, first: _Line, depth: int) -> Node:
        found: dict[str, Node] = {}
        while (line := self._line) and line.indent == first.indent:
            if line.text == "...":
                break
            key = _KEY.match(line.text)
            if key is None or line.text[0] in "{[":
                raise self._beyond("no key where one must stand", line.number)
            name = self._name(key, line.number)
            if name in found:
                raise self._beyond("a key that stands twice", line.number)
            rest = line.text[key.end() :].lstrip(" \t")
            if not rest or rest.startswith("#"):
                self._advance()
                found[name] = self._below(line, first.indent, depth, may_be_list=True)
            else:
                found[name] = self._value(line, rest, first.indent)
        return Node(found, self._path, first.number, self._note)

    def _below(self, above: _Line, indent: int, depth: int, *, may_be_list: bool = False) -> Node:
        """Return what stands further in than *indent*; for a key a list may also stand beside it."""
        line = self._line
        if line is not None and (
            line.indent > indent or (may_be_list and line.indent == indent and _is_entry(line.text))
        ):
            return self._block(line, depth + 1)
        return Node(None, self._path, above.number, self._note)

    def _value(self, line: _Line, rest: str, indent: int) -> Node:
        """Return the value *rest* at the end of a line, and go on behind it."""
        if rest[0] in "{[":
            return self._flow(line, line.begins_at + len(line.text) - len(rest))
        self._advance()
        if rest[0] in "|>" and _BLOCK.match(rest):
            self._skip(indent)
            return Node("", self._path, line.number, self._note)
        quoted = _QUOTED_VALUE.match(rest)
        if quoted is not None:
            value: str | None = unquoted(quoted, lambda why: self._beyond(why, line.number))
        else:
            value = plain_value(_COMMENT.split(rest, maxsplit=1)[0].rstrip(" \t"))
            if value is not None and (why := _reserved(value)):
                raise self._beyond(why, line.number)
        following = self._line
        if following is not None and following.indent > indent and following.text not in _MARKS:
            raise self._beyond("a text over several lines, or odd indentation", following.number)
        return Node(value, self._path, line.number, self._note)

    def _flow(self, line: _Line, begins_at: int) -> Node:
        flow = Flow(self._text, self._path, self._note)
        node, end = flow.read(begins_at, line.number)
        rest = _REST.match(self._text, end)
        if rest is None:
            raise self._beyond("text behind a closing bracket", flow.line)
        while (following := self._line) and following.begins_at < rest.end():
            self._advance()
        return node

    def _skip(self, indent: int) -> None:
        while (line := self._line) and line.indent > indent:
            self._advance()

    def _advance(self) -> None:
        self._line = next(self._rest, None)

    def _name(self, key: re.Match[str], number: int) -> str:
        name = key["plain"]
        if name is None:
            return unquoted(key, lambda why: self._beyond(why, number))
        if name == "<<":
            raise self._beyond("a merged key", number)
        if " #" in name:
            raise self._beyond("no key where one must stand", number)
        return name.rstrip()

    def _beyond(self, why: str, number: int) -> Exception:
        return beyond(why, self._path, number, self._note)


def _is_entry(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _reserved(text: str) -> str | None:
    """Return why a plain text is none, for what YAML reserves."""
    first = text[0]
    reasons = {"&": "an anchor", "*": "an alias", "!": "a tag", "%": "a directive"}
    if first in reasons:
        return reasons[first]
    if first in "|>@`\"',]}#" or text[:2] in {"- ", "? "} or ": " in text or text.endswith(":"):
        return "a text without quotes that needs some"
    return None


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines that are neither empty nor comments."""
    begins_at = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        bare = raw.rstrip(" \t\r")
        inside = bare.lstrip(" ")
        if inside and inside[0] != "#" and inside.strip("\t"):
            indent = len(bare) - len(inside)
            yield _Line(indent, inside, number, begins_at + indent)
        begins_at += len(raw) + 1
