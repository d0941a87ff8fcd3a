"""What stands where in parsed frames."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from capacity.workload.dialects.matching import getter, matches

_KEY = re.compile(r"(?!\$$)[^.\s\[\]{}]+")
"""Only such keys can be written in a path; $ alone begins one."""
_MOST_ITEMS = 4
"""Looked at of a list: those behind are like them."""
_DEEPEST = 6


def leaves(tree: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything in *tree* that is neither an object nor a list."""
    if depth > _DEEPEST:
        return
    if type(tree) is dict:
        for key, value in tree.items():
            if _KEY.fullmatch(key):
                yield from leaves(value, f"{path}.{key}" if path else key, depth + 1)
    elif type(tree) is list:
        for n, value in enumerate(tree[:_MOST_ITEMS]):
            yield from leaves(value, f"{path}.{n}" if path else str(n), depth + 1)
    elif path:
        yield path, tree


def texts(tree: Any) -> dict[str, str]:
    """Return path -> value of the texts in *tree*."""
    return {path: value for path, value in leaves(tree) if type(value) is str}


def common(frames: Sequence[Any]) -> dict[str, Any]:
    """Return path -> value of what all *frames* have alike."""
    first, rest = dict(leaves(frames[0])), frames[1:]
    return {
        path: value
        for path, value in first.items()
        if all(_same(getter(path)(frame), value) for frame in rest)
    }


def tops(frames: Iterable[Any]) -> set[str]:
    """Return the keys that all *frames* have at their root."""
    found = [set(frame) if type(frame) is dict else set() for frame in frames]
    return {key for key in set.intersection(*found) if _KEY.fullmatch(key)} if found else set()


def telling(
    frames: Sequence[Any], others: Sequence[Any], names: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Return a matcher that fits all *frames* and none of *others*; None if none is found.

    It holds none of *names*, which are those of channels.
    """
    alike = {
        path: value
        for path, value in common(frames).items()
        if type(value) in {str, bool}
        and "{" not in str(value)
        and not str(value).isdecimal()
        and not any(name in str(value) for name in names)
    }
    ranked = sorted(alike.items(), key=lambda one: _rank(*one))
    ways: list[dict[str, Any]] = [{path: value} for path, value in ranked if _is_word(path)]
    ways += [{key: {"exists": True}} for key in sorted(tops(frames), key=_by_content)]
    ways += [{path: value} for path, value in ranked if not _is_word(path)]
    for way in ways:
        if not any(matches(way)(other) for other in others):
            return way
    return next(
        (
            {**one, **two}
            for n, one in enumerate(ways)
            for two in ways[n + 1 :]
            if not any(matches({**one, **two})(other) for other in others)
        ),
        None,
    )


def telling_kinds(
    frames: Sequence[Any], others: Sequence[Any], but: Sequence[str]
) -> dict[str, Any] | None:
    """Return a matcher for frames of several kinds, by the word that tells their kind; None if none does.

    Words at the paths in *but* are none of a kind.
    """
    for path in sorted(texts(frames[0]), key=lambda path: _rank(path, "")):
        if path in but or not _is_word(path):
            continue
        found = [getter(path)(frame) for frame in frames]
        kinds = sorted({kind for kind in found if type(kind) is str})
        way = {path: {"in": kinds}}
        is_kind = len(kinds) <= _MOST_KINDS and all(type(kind) is str for kind in found)
        if is_kind and not any(matches(way)(other) for other in others):
            return way
    return None


_MOST_KINDS = 6
_WORDS = ("type", "method", "event", "e", "op", "action", "kind", "cmd", "channel", "topic", "msg")


def _is_word(path: str) -> bool:
    return path.rpartition(".")[2] in _WORDS


def _rank(path: str, value: Any) -> tuple[int, int, str]:
    name = path.rpartition(".")[2]
    word = _WORDS.index(name) if name in _WORDS else len(_WORDS)
    return (path.count(".") + (type(value) is bool), word, path)


def _by_content(key: str) -> tuple[bool, str]:
    return key not in {"data", "params", "payload", "result", "update"}, key


def _same(one: Any, two: Any) -> bool:
    return type(one) is type(two) and bool(one == two)
