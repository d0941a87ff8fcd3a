"""JSON trees with places to fill in: `{name}` keeps its value's type, `{name:int}` casts it.

`{name:entries}`, an entry of a list, is as many entries as the value has.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from capacity.workload.dialects.matching import MISSING

PLACE = re.compile(r"\{((?:\$\.)?[A-Za-z_][\w.-]*)(?::([a-z_]+))?\}")
"""A brace that is meant as such is followed by a space."""
_CASTS: dict[str | None, Callable[[Any], Any]] = {
    "int": int,
    "str": str,
    "list": list,
    "entries": list,
    None: lambda value: value,
}
CASTS = tuple(cast for cast in _CASTS if cast is not None)


def fill(tree: Any, values: Mapping[str, Any]) -> Any:
    """Return *tree* with every place filled; KeyError names a value that is not given.

    A key whose value is MISSING is left out.
    """
    if isinstance(tree, str):
        whole = PLACE.fullmatch(tree)
        if whole:
            value = values[whole[1]]
            return MISSING if value is MISSING else _CASTS[whole[2]](value)
        return PLACE.sub(lambda place: str(values[place[1]]), tree)
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


def is_of_entries(entry: Any) -> bool:
    """Tell whether an entry of a list stands for several."""
    whole = PLACE.fullmatch(entry) if isinstance(entry, str) else None
    return whole is not None and whole[2] == "entries"


def places(tree: Any) -> Iterator[tuple[str, str | None, bool]]:
    """Yield name and cast of every place in *tree*, and whether it is a text of its own."""
    for text in texts(tree):
        for place in PLACE.finditer(text):
            yield place[1], place[2], place[0] == text


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
    return (name for name, _cast, _is_whole in places(tree))
