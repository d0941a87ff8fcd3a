"""What both sides of a recording say beside subscriptions and updates, as sections of a dialect."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson

from capacity.workload.dialects.matching import MISSING, matches
from capacity.workload.drafting.asking import with_id, without_secrets
from capacity.workload.drafting.heard import Heard, shape
from capacity.workload.drafting.leaves import leaves, telling
from capacity.workload.drafting.sections import Draft

_SHOWN = 100
_PERIODS_S = (1, 2, 3, 5, 10, 15, 20, 25, 30, 45, 60)


def unsubscribing(asks: Sequence[tuple[int, Any]], draft: Draft) -> None:
    """Write how the client ended a subscription, if it did."""
    subscribe = draft.sections.get("subscribe")
    if subscribe is None:
        return
    for _n, tree in asks:
        words = (
            {value for _p, value in leaves(tree) if type(value) is str}
            if tree is not MISSING
            else set()
        )
        undo = next((word for word in words if "unsub" in word.lower()), None)
        if undo is not None:
            do = re.sub("(?i)un(?=sub)", "", undo)
            text = orjson.dumps(subscribe["send"]).decode()
            send = re.sub(f'"{re.escape(do)}"', f'"{undo}"', text, flags=re.IGNORECASE)
            draft.sections["unsubscribe"] = {"send": orjson.loads(send)}
            return


def heartbeats(heard: Heard, asks: Sequence[tuple[int, Any]], draft: Draft) -> None:
    """Write what is sent again and again, by itself or as an answer."""
    rules: list[dict[str, Any]] = []
    groups: dict[str, list[tuple[int, Any]]] = {}
    for n, tree in asks:
        words = (
            [value for _p, value in leaves(tree) if type(value) is str]
            if tree is not MISSING
            else []
        )
        if any("subscribe" in word.lower() for word in words):
            continue
        kind = (
            heard.frames[n][0].payload.decode(errors="replace") if tree is MISSING else shape(tree)
        )
        groups.setdefault(kind, []).append((n, tree))
    for same in groups.values():
        n, tree = same[0]
        send = (
            {"send_text": heard.frames[n][0].payload.decode(errors="replace")}
            if tree is MISSING
            else {"send": without_secrets(with_id(tree), draft.needs)}
        )
        cause = heard.frames[n - 1] if n else None
        if cause is not None and not cause[0].is_ours and n - 1 not in heard.updates:
            rules.append({**_cause(heard, n - 1), **send} | _carried(cause[1], tree))
        else:
            rules.append({"every_s": _period([heard.frames[m][0].at_s for m, _ in same]), **send})
    answered = [rule for rule in rules if "every_s" in rule]
    if rules:
        draft.sections["heartbeat"] = rules
    if answered:
        draft.doubts["heartbeat"] = "every_s is what was seen, or 20 where it was sent once"


def _cause(heard: Heard, n: int) -> dict[str, Any]:
    frame, tree = heard.frames[n]
    if tree is MISSING:
        return {"when_text": frame.payload.decode(errors="replace")}
    others = [other for m, other in heard.theirs() if shape(other) != shape(tree)]
    others += [heard.frames[m][1] for m in sorted(heard.updates)]
    return {"when": telling([tree], others) or {_first_key(tree): {"exists": True}}}


def _carried(cause: Any, answer: Any) -> dict[str, Any]:
    """Return the answer's template with what it repeats of its cause, if it does."""
    if type(answer) is not dict or type(cause) is not dict:
        return {}
    known = {
        value: path for path, value in leaves(cause) if type(value) is int or len(str(value)) > 6
    }
    found = {
        key: f"{{{'$.' if known[value] == 'id' else ''}{known[value]}}}"
        for key, value in answer.items()
        if isinstance(value, int | str) and value in known and value is not True
    }
    return {"send": {**answer, **found}} if found else {}


def _period(times: Sequence[float | None]) -> int:
    known = [at for at in times if at is not None]
    gaps = sorted(after - before for before, after in pairwise(known))
    if not gaps:
        return 20
    middle = gaps[len(gaps) // 2]
    return min(_PERIODS_S, key=lambda period: abs(period - middle))


def _first_key(tree: Any) -> str:
    return next(iter(tree), "0") if type(tree) is dict else "0"


def ignored(heard: Heard, draft: Draft) -> None:
    """Write what else comes, unless another rule is for it."""
    updates = [heard.frames[n][1] for n in sorted(heard.updates)]
    ids = heard.ids()
    known = [rule["when"] for rule in draft.sections.get("heartbeat", ()) if "when" in rule]
    sections = [draft.sections.get("subscribe", {}).get("ack")]
    sections += [step.get("answer") for step in draft.sections.get("opening", ())]
    known += [_with_ids(section["where"], ids) for section in sections if section is not None]
    rules: list[dict[str, Any]] = []
    for _n, tree in heard.theirs():
        if any(matches(each)(tree) for each in (*known, *rules)):
            continue
        where = telling([tree], updates)
        if where is not None:
            rules.append(where)
    if rules:
        draft.sections["ignore"] = rules
        draft.doubts["ignore"] = (
            "a ping is among them: where it wants an answer, make it a heartbeat rule that sends one"
            if any(_is_ping(tree) for _n, tree in heard.theirs() if any(map(_fits(tree), rules)))
            else "what else came; are updates among them?"
        )
    texts = {
        frame.payload
        for frame, tree in heard.frames
        if tree is MISSING and not frame.is_ours and len(frame.payload) < _SHOWN
    }
    taken = {rule.get("when_text") for rule in draft.sections.get("heartbeat", ())}
    for text in sorted(texts):
        shown = text.decode(errors="replace")
        if shown not in taken and shown.isprintable():
            draft.sections.setdefault("heartbeat", []).append({"when_text": shown})


def _fits(tree: Any) -> Callable[[Mapping[str, Any]], bool]:
    return lambda rule: matches(rule)(tree)


def _is_ping(tree: Any) -> bool:
    return any(
        "ping" in {path.rpartition(".")[2].lower(), str(value).lower()}
        for path, value in leaves(tree)
    )


def _with_ids(where: Mapping[str, Any], ids: list[Any]) -> dict[str, Any]:
    return {
        key: {"in": ids} if isinstance(value, str) and value.startswith("{id") else value
        for key, value in where.items()
    }
