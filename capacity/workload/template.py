"""JSON trees with places to fill in: `{name}` keeps its value's type, `{name:int}` casts it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

PLACE = re.compile(r"\{([a-z_]+)(?::(int|str|list))?\}")
_CASTS: dict[str | None, Callable[[Any], Any]] = {
    "int": int,
    "str": str,
    "list": list,
    None: lambda value: value,
}


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


def names(tree: Any) -> Iterator[str]:
    """Yield the name of every place in *tree*."""
    if isinstance(tree, str):
        yield from (place[1] for place in PLACE.finditer(tree))
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from names(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from names(value)
