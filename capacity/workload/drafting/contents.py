"""What is within the updates of a recording: where their content is, their time and their number."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from capacity.workload.dialects.matching import MISSING, as_number, getter, matches, name_getter
from capacity.workload.drafting.heard import Heard
from capacity.workload.drafting.numbering import sequences_of, time_of
from capacity.workload.drafting.sections import Draft

_DEEPEST = 2
_ROOT = ""


def describe_updates(heard: Heard, draft: Draft) -> None:
    """Write data, time and sequence."""
    found = heard.following
    updates = [(heard.frames[n][1], heard.frames[n][0].at_s) for n in sorted(heard.updates)]
    data: dict[str, Any] = {"where": found.where}
    if found.key is not None:
        data["key"] = found.key
    places = list(_containers([frame for frame, _at in updates]))
    time_at, time = _time(updates, places)
    places.sort(key=lambda place: place != time_at)
    rules_at, rules = _rules(heard, draft, places, [*found.parts, *([time[0]] if time else [])])
    items = time_at or rules_at
    if items:
        data["items"] = items
    draft.sections["data"] = data
    if time is not None:
        draft.sections["time"] = {"path": _seen(time[0], time_at, items), "unit": time[1]}
    else:
        draft.doubts["data"] = "no time of publication was found: delay cannot be measured"
    if rules:
        paths = {"seq", "prev", "first"}
        draft.sections["sequence"] = [
            {
                key: _seen(value, rules_at, items) if key in paths else value
                for key, value in rule.items()
            }
            for rule in rules
        ]
    else:
        draft.doubts.setdefault("data", "no sequence number was found: gaps cannot be told")


def _containers(frames: Sequence[Any]) -> Iterator[str]:
    """Yield the places that hold an object or a list of objects in all *frames*; the root first."""
    yield _ROOT
    due = [("", 0)]
    while due:
        above, depth = due.pop(0)
        first = getter(above)(frames[0]) if above else frames[0]
        for key in _keys(first) if depth < _DEEPEST else ():
            path = f"{above}.{key}" if above else key
            if "." in key:
                continue
            if all(_objects(getter(path)(frame)) for frame in frames):
                yield path
            elif not all(_by_place(getter(path)(frame)) for frame in frames):
                continue
            due.append((path, depth + 1))


def _keys(tree: Any) -> list[str]:
    if type(tree) is dict:
        return list(tree)
    return [str(n) for n in range(len(tree))] if _by_place(tree) else []


def _by_place(value: Any) -> bool:
    """Tell whether *value* is a list whose entries differ in what they are, each known by its place."""
    return type(value) is list and len({type(each) in {dict, list} for each in value}) > 1


def _objects(value: Any) -> list[Any]:
    """Return the objects that *value* is or holds."""
    each = value if type(value) is list else [value]
    return each if all(type(one) is dict for one in each) else []


def _items(frame: Any, place: str) -> list[Any]:
    return [frame] if not place else _objects(getter(place)(frame))


def _time(
    updates: Sequence[tuple[Any, float | None]], places: Sequence[str]
) -> tuple[str, tuple[str, str] | None]:
    best: tuple[float, str, tuple[str, str] | None] = (0.0, _ROOT, None)
    for place in places:
        items = [(item, at) for frame, at in updates for item in _items(frame, place)]
        time = time_of(items)
        if time is not None and time[0] / len(items) > best[0]:
            best = time[0] / len(items), place, time[1:]
    return best[1:]


def _rules(
    heard: Heard, draft: Draft, places: Sequence[str], taken: Sequence[str]
) -> tuple[str, list[dict[str, Any]]]:
    key = heard.following.key
    name_of = name_getter(key) if key is not None else lambda _frame: ""
    for place in places:
        by_channel: dict[str, list[Any]] = {}
        everything: list[Any] = []
        for n in sorted(heard.updates):
            frame = heard.frames[n][1]
            items = _items(frame, place)
            by_channel.setdefault(str(name_of(frame)), []).extend(items)
            everything += items
        rules = _numbered(by_channel, everything, taken, draft)
        if rules:
            return place, rules
    # With others among them, such as heartbeats, of which updates alone have too few to show it.
    theirs = [tree for frame, tree in heard.frames if not frame.is_ours and tree is not MISSING]
    rule = sequences_of([], theirs, taken)
    if rule is None:
        return _ROOT, []
    numbers = [as_number(getter(rule["seq"])(heard.frames[n][1])) for n in heard.updates]
    return _ROOT, [] if None in numbers else [rule]


def _numbered(
    by_channel: Mapping[str, list[Any]], updates: list[Any], taken: Sequence[str], draft: Draft
) -> list[dict[str, Any]]:
    """Return the numbering rules: one for all channels, or one for each kind of them that has one."""
    rule = sequences_of(list(by_channel.values()), updates, taken)
    if rule is not None:
        return [rule]
    rules = []
    for channel in draft.sections["channels"].values():
        only = channel["wire"].replace("{symbol}", "*")
        own = [frames for name, frames in by_channel.items() if fnmatchcase(name, only)]
        rule = sequences_of(own, [], taken) if own else None
        if rule is not None:
            rules.append({"only": only, **rule})
    return rules


def number_others(heard: Heard, draft: Draft) -> None:
    """Write that frames which are no updates have numbers of the connection among them, if they do."""
    rules = draft.sections.get("sequence", ())
    if len(rules) != 1 or rules[0].get("scope") != "connection":
        return
    items, seq = draft.sections["data"].get("items"), rules[0]["seq"]
    if items and not seq.startswith("$."):
        return
    path = seq.removeprefix("$.")
    number_of = getter(path)
    theirs = [(n, tree) for n, (frame, tree) in enumerate(heard.frames) if not frame.is_ours]
    known = [
        (n, tree, number)
        for n, tree in theirs
        if (number := as_number(number_of(tree))) is not None
    ]
    heartbeats = [rule["when"] for rule in draft.sections.get("heartbeat", ()) if "when" in rule]
    for where in (*draft.sections.get("ignore", ()), *heartbeats):
        fits = matches(where)
        steps = [
            number == before + 1
            for (_, _, before), (n, tree, number) in pairwise(known)
            if n not in heard.updates and fits(tree)
        ]
        if 2 * sum(steps) > len(steps):
            own = {"where": where, "rule": "plus_one", "scope": "connection", "seq": path}
            draft.sections["sequence"] = [own, *draft.sections["sequence"]]


def _seen(path: str, place: str, items: str) -> str:
    """Return *path*, which starts at *place*, as it is seen from the items."""
    if place == items:
        return path
    return f"$.{place}.{path}" if place else f"$.{path}"
