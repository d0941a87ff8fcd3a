"""Paths into parsed JSON and matchers over them, compiled once into closures."""

import re
from collections.abc import Callable
from typing import Any, Final

from capacity.workload.dialects.dialect import Matcher

MISSING: Final = object()
"""What a path finds where nothing is; JSON null is something."""
OPERATORS = ("exists", "equals", "in", "regex")

Getter = Callable[[Any], Any]
Test = Callable[[Any], bool]
_PLACE = re.compile(r"\{([^{}]+)\}")
_NOTHING_THERE = (KeyError, TypeError)


def getter(path: str) -> Getter:
    """Return the function that follows *path*; it answers MISSING and never raises."""
    keys = path.split(".")
    if any(key.isdecimal() for key in keys):
        return _through_lists(keys)
    if len(keys) == 1:

        def one(tree: Any) -> Any:
            return tree.get(path, MISSING) if type(tree) is dict else MISSING

        return one
    if len(keys) == 2:
        first, second = keys

        def two(tree: Any) -> Any:
            try:
                return tree[first][second]
            except _NOTHING_THERE:
                return MISSING

        return two

    def many(tree: Any) -> Any:
        try:
            for key in keys:
                tree = tree[key]
        except _NOTHING_THERE:
            return MISSING
        return tree

    return many


def _through_lists(keys: list[str]) -> Getter:
    steps = [(key, int(key) if key.isdecimal() else None) for key in keys]

    def through(tree: Any) -> Any:
        for key, index in steps:
            if type(tree) is dict:
                tree = tree.get(key, MISSING)
            elif index is not None and type(tree) is list and index < len(tree):
                tree = tree[index]
            else:
                return MISSING
        return tree

    return through


def item_getter(path: str) -> Callable[[Any, Any], Any]:
    """Return (frame, item) -> value; a path that starts with `$.` starts at the frame."""
    if path.startswith("$."):
        of_frame = getter(path[2:])
        return lambda frame, _item: of_frame(frame)
    if "." not in path and not path.isdecimal():

        def one(_frame: Any, item: Any) -> Any:
            return item.get(path, MISSING) if type(item) is dict else MISSING

        return one
    of_item = getter(path)
    return lambda _frame, item: of_item(item)


def name_getter(name: str) -> Getter:
    """Return the function that reads a channel's name: a path, or a text with {paths} to put in.

    What is no text, or is put together of anything but texts and whole numbers, is MISSING.
    """
    paths = paths_of(name)
    if "{" not in name:
        return getter(name)
    parts = [getter(path) for path in paths]
    text = _PLACE.sub("%s", name.replace("%", "%%"))

    def put_together(frame: Any) -> Any:
        values = tuple([get(frame) for get in parts])
        for value in values:
            if type(value) is not str and type(value) is not int:
                return MISSING
        return text % values

    return put_together


def paths_of(name: str) -> list[str]:
    """Return the paths that *name* is read from."""
    return _PLACE.findall(name) if "{" in name else [name]


def matches(matcher: Matcher) -> Test:
    """Return the function that tells whether a parsed frame fits *matcher*."""
    tests = [_entry(path, expected) for path, expected in matcher.items()]
    if len(tests) == 1:
        return tests[0]
    return lambda frame: all(holds(frame) for holds in tests)


def _entry(path: str, expected: Any) -> Test:
    get = getter(path)
    if not isinstance(expected, dict):
        return _equals(get, expected)
    ((operator, operand),) = expected.items()
    if operator == "exists":
        return lambda frame: (get(frame) is not MISSING) is operand
    if operator == "equals":
        return _equals(get, operand)
    if operator == "in":
        choices = [_equals(get, choice) for choice in operand]
        return lambda frame: any(fits(frame) for fits in choices)
    search = re.compile(operand).search

    def found(frame: Any) -> bool:
        value = get(frame)
        return isinstance(value, str) and search(value) is not None

    return found


def _equals(get: Getter, expected: Any) -> Test:
    if isinstance(expected, str):
        return lambda frame: bool(get(frame) == expected)
    # True == 1 in Python, but not in JSON.
    flag = isinstance(expected, bool)

    def equal(frame: Any) -> bool:
        value = get(frame)
        return bool(value == expected) and isinstance(value, bool) is flag

    return equal
