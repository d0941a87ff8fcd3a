"""What no frame can ever fit, and names that nothing stands for: found before anything connects."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.answers import Ack, id_place
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.encodings import mqtt
from capacity.workload.dialects.matching import Matcher, paths_of
from capacity.workload.dialects.template import CASTS, PLACE, texts

_ALMOST = re.compile(r"\{[^\s{}\"'\[][^{}]*\}")
"""Meant as a place, and none: {channels: list}, {Channel:LIST}, {1st}."""
_IN_BRACES = re.compile(r"\{[^{}]+\}")


def impossible_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield them all."""
    yield from _places(dialect)
    for place, matcher, has_id in _matchers(dialect):
        yield from _matcher(matcher, place, has_id=has_id)
    yield from _from_the_root(dialect)
    yield from _names(dialect)
    yield from _never_reached(dialect)
    wires = [channel.wire for channel in dialect.channels.values()]
    for n, (name, channel) in enumerate(dialect.channels.items()):
        if channel.wire in wires[:n]:
            yield ("channels", name, "wire"), f"{channel.wire} is another channel's name already"


def _places(dialect: Dialect) -> Iterator[Finding]:
    for place, tree in _templates(dialect):
        for text in texts(tree):
            for almost in _ALMOST.findall(text):
                if not PLACE.fullmatch(almost):
                    wrong = (
                        f"{almost} is no placeholder, which is {{name}} or {{name:form}} with one of the"
                        f" forms {', '.join(CASTS)}, or a time and more, {{now_ms+10000}}; a brace meant as such is followed by a space"
                    )
                    yield place, wrong


def _templates(dialect: Dialect) -> Iterator[tuple[Location, Any]]:
    yield ("ws", "url"), dialect.ws.url
    if dialect.http is not None:
        yield ("http", "base"), dialect.http.base
    named = (
        ("channels", dialect.channels, ("wire", "request")),
        ("signatures", dialect.signatures, ("key", "text", "claims", "header")),
        ("rest", dialect.rest, ("path", "query", "body")),
    )
    for section, entries, keys in named:
        for name, entry in entries.items():
            for key in keys:
                yield (section, name, key), getattr(entry, key)
    for section in ("subscribe", "unsubscribe"):
        request = getattr(dialect, section)
        if request is not None:
            yield (section, "send"), request.send
    for section in ("opening", "heartbeat"):
        for n, rule in enumerate(getattr(dialect, section)):
            yield (section, n, "send"), rule.send


def _acks(dialect: Dialect) -> Iterator[tuple[Location, Ack]]:
    for key in ("subscribe", "unsubscribe"):
        section = getattr(dialect, key)
        if section is not None and section.ack is not None:
            yield (key, "ack"), section.ack
    for n, step in enumerate(dialect.opening):
        if step.answer is not None:
            yield ("opening", n, "answer"), step.answer


def _matchers(dialect: Dialect) -> Iterator[tuple[Location, Matcher, bool]]:
    """Yield every matcher with its place, and whether the request's id may stand in it."""
    for place, ack in _acks(dialect):
        yield (*place, "where"), ack.where, True
        yield (*place, "ok"), ack.ok, False
        if ack.error is not None:
            yield (*place, "error", "where"), ack.error.where, False
    for n, rule in enumerate(dialect.heartbeat):
        if isinstance(rule.when, Mapping):
            yield ("heartbeat", n, "when"), rule.when, False
    for n, matcher in enumerate(dialect.ignore):
        yield ("ignore", n), matcher, False
    for place, data in _data(dialect):
        yield (*place, "where"), data.where, False
    for n, numbering in enumerate(dialect.sequence):
        if numbering.where is not None:
            yield ("sequence", n, "where"), numbering.where, False


def _data(dialect: Dialect) -> Iterator[tuple[Location, Any]]:
    for n, rule in enumerate(dialect.updates):
        yield (("data",) if rule is dialect.data else ("data", n)), rule


def _matcher(matcher: Matcher, place: Location, *, has_id: bool) -> Iterator[Finding]:
    for path, expected in matcher.items():
        here = (*place, path)
        if isinstance(expected, Mapping) and expected.get("in") == []:
            yield (*here, "in"), "is empty, which nothing fits"
        elif isinstance(expected, str) and _ALMOST.fullmatch(expected):
            place_of_id = id_place(expected)
            if has_id and place_of_id is not None and place_of_id["cast"] in {None, "int", "str"}:
                continue
            known = "only {id:int} and {id:str} do" if has_id else "nothing does in this matcher"
            yield (
                here,
                f"{expected} stands for nothing here: {known}; {{equals: text}} for the text",
            )


def _from_the_root(dialect: Dialect) -> Iterator[Finding]:
    """Yield which paths begin with $. where they start at the frame's root anyway."""
    paths: list[tuple[Location, str | None]] = []
    for place, data in _data(dialect):
        paths += [((*place, "items"), data.items)]
        paths += [((*place, "key"), path) for path in paths_of(data.key or "")]
    for place, ack in _acks(dialect):
        paths += [((*place, "accepted"), ack.accepted), ((*place, "alias"), ack.alias)]
        paths += [((*place, "channel"), path) for path in paths_of(ack.channel or "")]
    for place, matcher, _has_id in _matchers(dialect):
        paths += [((*place, path), path) for path in matcher]
    for place, path in paths:
        if path is not None and path.startswith("$."):
            yield place, f"starts at the frame's root anyway: write {path[2:]} (got {path!r})"


def _names(dialect: Dialect) -> Iterator[Finding]:
    """Yield which names of channels have braces that hold no path."""
    told = [((*place, "key"), data.key) for place, data in _data(dialect)]
    told += [((*place, "channel"), ack.channel) for place, ack in _acks(dialect)]
    for place, name in told:
        if name is not None and set(_IN_BRACES.sub("", name)) & {"{", "}"}:
            yield (
                place,
                f"{name} has a brace without a path: put paths in both, as in {{a.b}}:{{c}}",
            )


def _never_reached(dialect: Dialect) -> Iterator[Finding]:
    only = [rule.only if rule.where is None else None for rule in dialect.sequence]
    for n, one in enumerate(only):
        if one is None:
            continue
        before = next((m for m in range(n) if only[m] in {"*", one}), None)
        if before is not None:
            yield (
                ("sequence", n),
                f"is never reached: rule {before} fits all of its channels before",
            )
    rules = list(_data(dialect))
    for n, (place, rule) in enumerate(rules):
        before = next((m for m in range(n) if rules[m][1].where in ({}, rule.where)), None)
        if before is not None:
            yield (
                (*place, "where"),
                f"is never reached: rule {before} fits all of its frames before",
            )
    whens = [rule.when for rule in dialect.heartbeat]
    for n, when in enumerate(whens):
        if isinstance(when, Mapping) and when in whens[:n]:
            yield (
                ("heartbeat", n, "when"),
                f"is never reached: rule {whens.index(when)} is the same",
            )


def mqtt_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield which requests are no packets that can be sent."""
    if dialect.messages.divider != "none":
        yield ("messages", "divider"), "MQTT packets divide themselves; leave it out"
    for place, tree in _templates(dialect):
        if place[-1] != "send" or tree is None:
            continue
        kind = tree.get("type") if isinstance(tree, Mapping) else None
        if kind not in mqtt.SENT:
            yield place, f"must have a type out of {', '.join(mqtt.SENT)}"
        elif kind in {"SUBSCRIBE", "UNSUBSCRIBE"} and not {"id", "topics"} <= set(tree):
            yield place, f'{kind} needs id: "{{id:int}}" and topics'
