"""How the server of a recording answers a request, as an ack section."""

from collections.abc import Mapping, Sequence
from typing import Any

from capacity.workload.dialects.matching import getter, matches, name_getter
from capacity.workload.drafting.asking import id_path
from capacity.workload.drafting.heard import Heard, shape
from capacity.workload.drafting.leaves import leaves, telling


def answer_to(
    heard: Heard, asked_at: int, asked: Any, by_parts: Mapping[str, tuple[str, ...]]
) -> dict[str, Any] | None:
    """Return how the request at *asked_at* is answered, as an ack section; None if it is not."""
    names = [*by_parts, *(part for parts in by_parts.values() for part in parts)]
    at = id_path(asked, names)
    later = [tree for n, tree in heard.theirs() if n > asked_at]
    if at is not None:
        wanted = getter(at)(asked)
        for tree in later:
            for path, value in leaves(tree):
                if type(value) is type(wanted) and value == wanted:
                    place = "{id:int}" if type(wanted) is int else "{id:str}"
                    same = [one for one in later if getter(path)(one) == wanted]
                    return _with_refusal(_ack({path: place}, same, by_parts), same, heard, later)
    updates = [heard.frames[n][1] for n in sorted(heard.updates)]
    told = [tree for tree in later if _speaks_of_subscribing(tree)]
    told.sort(key=lambda tree: not any(value in names for _path, value in leaves(tree)))
    for tree in told:
        others = [one for one in later if shape(one) != shape(tree)]
        where = telling([tree], [*others, *updates], names) or telling([tree], updates, names)
        if where is not None:
            answers = [one for one in later if matches(where)(one)]
            return _with_refusal(_ack(where, answers, by_parts), answers, heard, later)
    return None


def _speaks_of_subscribing(tree: Any) -> bool:
    words = [word.lower() for path, value in leaves(tree) for word in (path, str(value))]
    return any("subscri" in word and "unsub" not in word for word in words)


def _ack(
    where: dict[str, Any], answers: Sequence[Any], by_parts: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    ack: dict[str, Any] = {"where": where}
    tree = answers[0]
    top = tree if type(tree) is dict else {}
    for path, value in leaves(tree):
        if path.rpartition(".")[2] in {"success", "ok"} and value is True:
            ack["ok"] = {path: True}
            break
        if path.rpartition(".")[2] in {"status", "state"} and str(value).lower() in {
            "success",
            "ok",
        }:
            ack["ok"] = {path: value}
            break
    else:
        if "result" in top:
            ack["ok"] = {"result": {"exists": True}}
    for key, value in top.items():
        if (
            type(value) is list
            and value
            and all(type(each) is str and each in by_parts for each in value)
        ):
            ack["accepted"] = key
    channel = _named_in(answers, by_parts) if "accepted" not in ack else None
    if channel is not None:
        ack["channel"] = channel
    return ack


def _with_refusal(
    ack: dict[str, Any], answers: Sequence[Any], heard: Heard, later: Sequence[Any]
) -> dict[str, Any]:
    """Return *ack* with the refusal that was recorded, if one was."""
    updates = [heard.frames[n][1] for n in sorted(heard.updates)]
    for tree in later:
        if tree in answers or not _speaks_of_an_error(tree):
            continue
        where = _whatever_it_says(telling([tree], [*answers, *updates]))
        if where is None:
            continue
        fits_all = _for_both(ack["where"], where)
        if fits_all is None:
            continue
        error: dict[str, Any] = {"where": where}
        for path, value in leaves(tree):
            name = path.rpartition(".")[2].lower()
            if name in _CODES and type(value) in {int, str}:
                error.setdefault("code", path)
            elif name in _SAYING and type(value) is str:
                error.setdefault("message", path)
        return {**ack, **fits_all, "error": error}
    return ack


def _whatever_it_says(where: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the matcher of one refusal for those with other words and codes too."""
    if where is None:
        return None
    said = {*_CODES, *_SAYING}
    return {
        path: {"exists": True} if "." in path and path.rpartition(".")[2].lower() in said else value
        for path, value in where.items()
    }


_CODES = {"code", "err_code", "error_code"}
_SAYING = {"error", "message", "msg", "reason", "ret_msg", "err_msg", "errmsg", "err-msg", "label"}
_WRONG = ("error", "fail", "reject", "denied", "invalid")


def _speaks_of_an_error(tree: Any) -> bool:
    return any(
        (path.rpartition(".")[2].lower() in {"success", "ok"} and value is False)
        or (type(value) is str and any(word in value.lower() for word in _WRONG))
        or ("error" in path.lower() and value not in (None, False, "", 0))
        for path, value in leaves(tree)
    )


def _for_both(where: dict[str, Any], refused: dict[str, Any]) -> dict[str, Any] | None:
    """Return where and ok of answers by a matcher of confirmations and one of refusals.

    None where nothing tells both from all else.
    """
    if any(str(value).startswith("{id") for value in where.values()):
        return {}
    ((path, value), *more) = where.items()
    if more or type(value) is not str or type(refused.get(path)) is not str:
        return None
    return {"where": {path: {"in": [value, refused[path]]}}, "ok": {path: value}}


def _named_in(answers: Sequence[Any], by_parts: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return how answers name the one channel that each is about; None if they do not."""
    for path, value in leaves(answers[0]):
        if (
            type(value) is str
            and value in by_parts
            and all(getter(path)(answer) in by_parts for answer in answers)
        ):
            return path
    for name, parts in by_parts.items():
        paths = [
            next((path for path, value in leaves(answers[0]) if value == part), None)
            for part in parts
        ]
        known = [path for path in paths if path is not None]
        if len(known) < len(parts):
            continue
        key = known[0]
        if len(parts) > 1:
            sign = name.removeprefix(parts[0]).removesuffix(parts[1])
            key = f"{{{known[0]}}}{sign}{{{known[1]}}}"
        if all(name_getter(key)(answer) in by_parts for answer in answers):
            return key
    return None
