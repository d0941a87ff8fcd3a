"""JSON trees with places to fill in: `{name}` keeps its value's type, `{name:int}` casts it.

`{name:upper}` and `{name:lower}` are its text in big or small letters, inside a longer text too.
`{name:entries}`, an entry of a list, is as many entries as the value has. `{now_ms+10000}` is the time and
as much more, in the time's own unit.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from capacity.workload.dialects.matching import MISSING

PLACE = re.compile(
    r"\{(?P<name>(?:\$\.)?[A-Za-z_][\w.-]*)(?P<more>\+\d{1,15})?(?::(?P<cast>[a-z_]+))?\}"
)
"""A brace that is meant as such is followed by a space."""
LETTERS: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper}
_CASTS: dict[str | None, Callable[[Any], Any]] = {
    "int": int,
    "str": str,
    "list": list,
    "entries": list,
    None: lambda value: value,
}
TIMES = ("now_s", "now_ms", "now_us")
"""What can be added to."""
CASTS = (*(cast for cast in _CASTS if cast is not None), *LETTERS)


class Place(NamedTuple):
    """One place of a template, as it is written."""

    name: str
    more: str | None
    """What is added to the value, such as +10000."""
    cast: str | None
    is_whole: bool
    """It is a text of its own."""

    @property
    def shown(self) -> str:
        cast = f":{self.cast}" if self.cast else ""
        return f"{{{self.name}{self.more or ''}{cast}}}"


def fill(tree: Any, values: Mapping[str, Any]) -> Any:
    """Return *tree* with every place filled; KeyError names a value that is not given.

    A key whose value is MISSING is left out. Raises ValueError for one that cannot be cast, without telling it.
    """
    if isinstance(tree, str):
        whole = PLACE.fullmatch(tree)
        if whole:
            value = _value(whole, values)
            if value is MISSING:
                return MISSING
            if whole["cast"] not in LETTERS:
                return _cast(whole, value)
        return PLACE.sub(lambda place: _written(place, values), tree)
    if isinstance(tree, Mapping):
        filled = {key: fill(value, values) for key, value in tree.items()}
        return {key: value for key, value in filled.items() if value is not MISSING}
    if isinstance(tree, list | tuple):
        filled_entries: list[Any] = []
        for entry in tree:
            value = fill(entry, values)
            filled_entries += value if is_of_entries(entry) else [value]
        return filled_entries
    return tree


def _written(place: re.Match[str], values: Mapping[str, Any]) -> str:
    return LETTERS.get(place["cast"], str)(str(_value(place, values)))


def _cast(place: re.Match[str], value: Any) -> Any:
    try:
        return _CASTS[place["cast"]](value)
    except (TypeError, ValueError):
        raise ValueError(f"what stands for {place[0]} cannot be made that") from None


def _value(place: re.Match[str], values: Mapping[str, Any]) -> Any:
    value = values[place["name"]]
    return value if place["more"] is None else value + int(place["more"])


def is_of_entries(entry: Any) -> bool:
    """Tell whether an entry of a list stands for several."""
    whole = PLACE.fullmatch(entry) if isinstance(entry, str) else None
    return whole is not None and whole["cast"] == "entries"


def places(tree: Any) -> Iterator[Place]:
    """Yield every place in *tree*."""
    for text in texts(tree):
        for place in PLACE.finditer(text):
            yield Place(place["name"], place["more"], place["cast"], place[0] == text)


def texts(tree: Any) -> Iterator[str]:
    """Yield every text in *tree* that is no key."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from texts(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from texts(value)


def needed(tree: Any) -> Iterator[str]:
    """Yield the name of every place that cannot be left out: all but whole values of keys."""
    if isinstance(tree, Mapping):
        for value in tree.values():
            whole = PLACE.fullmatch(value) if isinstance(value, str) else None
            if whole is None:
                yield from needed(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from needed(value)
    else:
        yield from names(tree)


def names(tree: Any) -> Iterator[str]:
    """Yield the name of every place in *tree*."""
    return (place.name for place in places(tree))
