"""A template against what was sent: what its places were filled with."""

import re
from collections.abc import Mapping
from typing import Any

from capacity.workload.dialects.template import PLACE


def unified(template: Any, tree: Any, found: dict[str, Any]) -> bool:  # noqa: PLR0911 - one for each kind
    """Tell whether *tree* is *template* with its places filled, and note in *found* by what."""
    if isinstance(template, str):
        place = PLACE.fullmatch(template)
        if place is not None:
            found.setdefault(place[1], tree)
            return True
        return type(tree) is str and _fits_text(template, tree, found)
    if isinstance(template, Mapping):
        return (
            type(tree) is dict
            and template.keys() == tree.keys()
            and all(unified(value, tree[key], found) for key, value in template.items())
        )
    if isinstance(template, list | tuple):
        if type(tree) is not list:
            return False
        place = PLACE.fullmatch(str(template[0])) if len(template) == 1 else None
        if place is not None and len(tree) > 1:  # Several channels or symbols in one request.
            found.setdefault(place[1], tree)
            return True
        return len(tree) == len(template) and all(
            unified(*pair, found) for pair in zip(template, tree, strict=True)
        )
    return type(template) is type(tree) and bool(template == tree)


def _fits_text(template: str, text: str, found: dict[str, Any]) -> bool:
    expression, done, seen = "", 0, set[str]()
    for place in PLACE.finditer(template):
        name = place[1]
        expression += re.escape(template[done : place.start()])
        if not name.isidentifier():
            expression += ".*"
        else:
            expression += f"(?P={name})" if name in seen else f"(?P<{name}>.*)"
        seen.add(name)
        done = place.end()
    match = re.fullmatch(expression + re.escape(template[done:]), text, re.DOTALL)
    if match is None:
        return False
    for name, value in match.groupdict().items():
        found.setdefault(name, value)
    return True
