"""What the client of a recording sent, as templates: logins, subscriptions, heartbeats."""

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from capacity.workload.drafting.leaves import leaves

ID_NAMES = {"id", "req_id", "reqid", "request_id", "requestid", "invocationid", "cid", "nonce_id"}
_SECRET = re.compile(
    r"jwt|token|secret|api_?key|^key$|sign|passphrase|password|auth|credential|cookie",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"time|nonce|^ts$|expires", re.IGNORECASE)
_NAME = re.compile(r"[^a-z0-9]+")
_RANDOM = re.compile(r"(?=\S*\d)(?=\S*[a-z])(?=\S*[A-Z])[\w+/=.-]{24,}|[0-9a-f]{32,}|eyJ\S{8,}")
"""Looks like a key, whatever it is called."""
_LEAST_SECRET = 6
_SHOWN_OFTEN = ("bearer", "public", "client_credentials", "client_signature", "hmac")

Replace = Callable[[str, Any], Any]
"""(path, value) -> what stands there in the template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How channels are asked for."""

    send: Any
    """Template of the request."""
    request: Any = None
    """Template of what stands for one channel, with the symbol as {symbol}; None: its name."""


def rebuilt(tree: Any, replace: Replace, path: str = "") -> Any:
    """Return *tree* with everything in it that is neither object nor list replaced."""
    if type(tree) is dict:
        return {
            key: rebuilt(value, replace, f"{path}.{key}" if path else key)
            for key, value in tree.items()
        }
    if type(tree) is list:
        return [
            rebuilt(value, replace, f"{path}.{n}" if path else str(n))
            for n, value in enumerate(tree)
        ]
    return replace(path, tree)


def id_path(tree: Any, names: Container[Any] = ()) -> str | None:
    """Return where a request has its id, if it does; one of *names*, those of channels, is none."""
    for path, value in leaves(tree):
        is_id = path.rpartition(".")[2].lower().replace("-", "_") in ID_NAMES
        if is_id and path.count(".") == 0 and type(value) in {int, str} and value not in names:
            return path
    return None


def with_id(tree: Any, names: Container[Any] = ()) -> Any:
    """Return a template of *tree* with the place of the request's id in it."""
    at = id_path(tree, names)

    def replace(path: str, value: Any) -> Any:
        if path != at:
            return value
        return "{id:int}" if type(value) is int else "{id:str}"

    return rebuilt(tree, replace)


def without_secrets(tree: Any, needs: dict[str, str]) -> Any:
    """Return *tree* with {names} for what may be a secret, and the time for what may be one.

    The names, and what each was found as, are added to *needs*.
    """

    def replace(path: str, value: Any) -> Any:
        name = path.rpartition(".")[2]
        if type(value) is int and _MOMENT.search(name) and value > 10**9:
            return "{now_ms}" if value > 10**11 else "{now_s}"
        if type(value) is not str or len(value) < _LEAST_SECRET:
            return value
        if value.isdecimal() and _MOMENT.search(name) and int(value) > 10**9:
            return "{now_ms:str}" if int(value) > 10**11 else "{now_s:str}"
        is_named = _SECRET.search(name) and not value.lower().startswith(_SHOWN_OFTEN)
        if not is_named and not _RANDOM.fullmatch(value):
            return value
        return f"{{{needed(name, path, needs)}}}"

    return rebuilt(tree, replace)


def needed(name: str, origin: str, needs: dict[str, str]) -> str:
    """Return the name under which a value is needed, and add it to *needs*."""
    tidy = (
        _NAME.sub("_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_") or "value"
    )
    if not tidy[0].isalpha():
        tidy = f"value_{tidy}"
    if tidy in {
        "id",
        "channel",
        "channels",
        "symbol",
        "scheme",
        "host",
        "port",
        "connection",
        "nonce",
    }:
        tidy = f"{tidy}_value"
    needs.setdefault(tidy, origin)
    return tidy


def is_secret(name: str) -> bool:
    """Tell whether what is called *name* should not be written down."""
    return _SECRET.search(name) is not None


def is_alike(tree: Any, asked: Any, names: Sequence[str]) -> bool:
    """Tell whether a request is one for channels as *asked* is, whatever it asks for."""
    told, known = dict(leaves(tree)), dict(leaves(asked))
    id_at = id_path(asked, names)
    return set(told) == set(known) and all(
        told[path] == value or path == id_at or any(name in str(value) for name in names)
        for path, value in known.items()
    )


def ask_for(frame: Any, names: Sequence[str]) -> Ask | None:
    """Return how *frame* asks for channels, whose *names* it holds as they are; None if it does not."""
    known = set(names)
    held = [path for path, value in leaves(frame) if type(value) is str and value in known]
    if not held:
        return None
    places = {path.rpartition(".")[0] for path in held if path.rpartition(".")[2].isdecimal()}
    lists = [place for place in places if known.issuperset(map(str, _at(frame, place)))]
    template = with_id(frame, known)
    if lists:
        place = min(lists)
        return Ask(send=_put(template, place, "{channels:list}"))
    return Ask(send=_put(template, held[0], "{channel}"))


def ask_by_parts(frame: Any, parts: Sequence[str], symbol: str | None) -> Ask | None:
    """Return how *frame* asks for one channel whose name comes in *parts*, or None."""
    held = [
        [path for path, value in leaves(frame) if type(value) is str and value == part]
        for part in dict.fromkeys(parts)
    ]
    if not all(held):
        return None
    above = max((_above(one_each) for one_each in product(*held)), key=lambda path: path.count("."))
    template = with_id(frame, parts)
    tree = _at(template, above)
    steps = above.split(".") if above else []
    for n in range(len(steps) - 1, -1, -1):  # Of a list of such, one stands for all.
        if steps[n].isdecimal():
            tree = _at(template, ".".join(steps[: n + 1]))
            place = ".".join(steps[:n])
            send = _put(template, place, "{channels:list}")
            return Ask(send=send, request=_for_symbol(tree, symbol))
    if "{id:" in str(tree):
        return None
    return Ask(send=_put(template, above, "{channel}"), request=_for_symbol(tree, symbol))


def _above(paths: Sequence[str]) -> str:
    """Return the innermost place that all *paths* are below."""
    split = [path.split(".")[:-1] for path in paths]
    shared: list[str] = []
    for steps in zip(*split, strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    return ".".join(shared)


def _at(tree: Any, path: str) -> Any:
    for step in path.split(".") if path else ():
        tree = tree[int(step) if type(tree) is list else step]
    return tree


def _put(tree: Any, path: str, value: Any) -> Any:
    """Return *tree* with *value* at *path*."""
    if not path:
        return value
    head, _, rest = path.partition(".")
    if type(tree) is list:
        return [_put(each, rest, value) if n == int(head) else each for n, each in enumerate(tree)]
    return {key: _put(each, rest, value) if key == head else each for key, each in tree.items()}


def _for_symbol(tree: Any, symbol: str | None) -> Any:
    """Return *tree* for any symbol; of a list of symbols one stays."""
    if type(tree) is dict:
        return {key: _for_symbol(value, symbol) for key, value in tree.items()}
    if type(tree) is list:
        if symbol is not None and symbol in tree and all(type(each) is str for each in tree):
            return ["{symbol}"]
        return [_for_symbol(value, symbol) for value in tree]
    if type(tree) is str and symbol and symbol in tree:
        return tree.replace(symbol, "{symbol}")
    return tree
