"""JSON trees with places to fill in: `{name}` keeps its value's type, `{name:int}` casts it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

PLACE = re.compile(r"\{((?:\$\.)?[A-Za-z_][\w.-]*)(?::([a-z_]+))?\}")
"""A brace that is meant as such is followed by a space."""
_CASTS: dict[str | None, Callable[[Any], Any]] = {
    "int": int,
    "str": str,
    "list": list,
    None: lambda value: value,
}
CASTS = tuple(cast for cast in _CASTS if cast is not None)


def fill(tree: Any, values: Mapping[str, Any]) -> Any:
    """Return *tree* with every place filled; KeyError names a value that is not given."""
    if isinstance(tree, str):
        whole = PLACE.fullmatch(tree)
        if whole:
            return _CASTS[whole[2]](values[whole[1]])
        return PLACE.sub(lambda place: str(values[place[1]]), tree)
    if isinstance(tree, Mapping):
        return {key: fill(value, values) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [fill(value, values) for value in tree]
    return tree


def places(tree: Any) -> Iterator[tuple[str, str | None, bool]]:
    """Yield name and cast of every place in *tree*, and whether it is a text of its own."""
    if isinstance(tree, str):
        for place in PLACE.finditer(tree):
            yield place[1], place[2], place[0] == tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from places(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from places(value)


def names(tree: Any) -> Iterator[str]:
    """Yield the name of every place in *tree*."""
    return (name for name, _cast, _is_whole in places(tree))
