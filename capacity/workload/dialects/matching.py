"""Paths into parsed JSON and matchers over them, compiled once into closures."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

MISSING: Final = object()
"""What a path finds where nothing is; JSON null is something."""
MOST_DIGITS = 40
"""A longer text is no number."""
LOWER = ":lower"
"""After a path in a name: its text is put in in small letters."""
OPERATORS = ("exists", "equals", "in", "regex")

Matcher = Mapping[str, Any]
"""Path -> what stands there."""
Getter = Callable[[Any], Any]
Test = Callable[[Any], bool]
_PLACE = re.compile(r"\{([^{}]+)\}")
_NOTHING_THERE = (KeyError, TypeError)


def getter(path: str) -> Getter:
    """Return the function that follows *path*; it answers MISSING and never raises."""
    keys = path.split(".")
    if any(_is_index(key) for key in keys):
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


def _is_index(key: str) -> bool:
    return key.removeprefix("-").isdecimal()


def _through_lists(keys: list[str]) -> Getter:
    steps = [(key, int(key) if _is_index(key) else None) for key in keys]

    def through(tree: Any) -> Any:
        for key, index in steps:
            if type(tree) is dict:
                tree = tree.get(key, MISSING)
            elif index is not None and type(tree) is list and -len(tree) <= index < len(tree):
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
    if "." not in path and not _is_index(path):

        def one(_frame: Any, item: Any) -> Any:
            return item.get(path, MISSING) if type(item) is dict else MISSING

        return one
    of_item = getter(path)
    return lambda _frame, item: of_item(item)


def name_getter(name: str) -> Getter:
    """Return the function that reads a channel's name: a path, or a text with {paths} or {paths:lower} to put in.

    What is no text, or is put together of anything but texts and whole numbers, is MISSING.
    """
    if "{" not in name:
        return getter(name)
    parts = [_part(place) for place in _PLACE.findall(name)]
    text = _PLACE.sub("%s", name.replace("%", "%%"))
    if len(parts) == 1:
        (get_one,) = parts

        def around(frame: Any) -> Any:
            value = get_one(frame)
            return text % value if type(value) is str or type(value) is int else MISSING

        return around
    if len(parts) == 2:
        first, second = parts

        def both(frame: Any) -> Any:
            one, two = first(frame), second(frame)
            if type(one) is str and type(two) is str:
                return text % (one, two)
            return put_together(frame)

    def put_together(frame: Any) -> Any:
        values = tuple([get(frame) for get in parts])
        for value in values:
            if type(value) is not str and type(value) is not int:
                return MISSING
        return text % values

    return both if len(parts) == 2 else put_together


def _part(place: str) -> Getter:
    path = place.removesuffix(LOWER)
    get = getter(path)
    if path == place:
        return get

    def in_small_letters(frame: Any) -> Any:
        value = get(frame)
        return value.lower() if type(value) is str else value

    return in_small_letters


def paths_of(name: str) -> list[str]:
    """Return the paths that *name* is read from."""
    if "{" not in name:
        return [name]
    return [place.removesuffix(LOWER) for place in _PLACE.findall(name)]


def matches(matcher: Matcher) -> Test:
    """Return the function that tells whether a parsed frame fits *matcher*."""
    tests = [_entry(path, expected) for path, expected in matcher.items()]
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda frame: first(frame) and second(frame)
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
        if all(type(choice) is str for choice in operand):
            return _one_of(get, frozenset(operand))
        choices = [_equals(get, choice) for choice in operand]
        return lambda frame: any(fits(frame) for fits in choices)
    search = re.compile(operand).search

    def found(frame: Any) -> bool:
        value = get(frame)
        return isinstance(value, str) and search(value) is not None

    return found


def _one_of(get: Getter, texts: frozenset[str]) -> Test:
    def chosen(frame: Any) -> bool:
        value = get(frame)
        return type(value) is str and value in texts

    return chosen


def _equals(get: Getter, expected: Any) -> Test:
    if isinstance(expected, str):
        return lambda frame: bool(get(frame) == expected)
    # True == 1 in Python, but not in JSON.
    flag = isinstance(expected, bool)

    def equal(frame: Any) -> bool:
        value = get(frame)
        return bool(value == expected) and isinstance(value, bool) is flag

    return equal


def as_number(value: Any) -> int | None:
    """Return a whole number, also one that is written as a text; None for anything else."""
    if type(value) is int:
        return value
    if type(value) is str and len(value) <= MOST_DIGITS and value.isascii():
        return int(value) if value.removeprefix("-").isdecimal() else None
    return None
