"""What is wrong with what a dialect sends: requests, steps of the opening, heartbeats."""

import re
from collections.abc import Iterator
from typing import Any

from capacity.settings.dialects.notation import (
    ack_findings,
    matcher_findings,
    name_findings,
    path_findings,
    place_findings,
    positive_findings,
)
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.channel_requests import PART
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.dialects.sending import Heartbeat, Step, Subscribe, Unsubscribe
from capacity.workload.dialects.template import names, needed
from capacity.workload.dialects.values import BUILT_IN


def sending_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield what is wrong with what is sent, and with the answers that are waited for."""
    yield from _requests(dialect)
    yield from _opening(dialect)
    for n, rule in enumerate(dialect.heartbeat):
        yield from _heartbeat(rule, ("heartbeat", n), known_later(dialect))


def _requests(dialect: Dialect) -> Iterator[Finding]:
    subscribe, unsubscribe = dialect.subscribe, dialect.unsubscribe
    if subscribe:
        yield from _request(subscribe, "subscribe", dialect)
        yield from positive_findings(subscribe.batch, ("subscribe", "batch"))
        if subscribe.confirm == "ack" and not subscribe.ack:
            yield ("subscribe",), "confirm: ack needs an ack; else confirm by first_data or none"
        if dialect.has_aliases:
            yield from _alias(dialect, subscribe)
    if unsubscribe:
        yield from _request(unsubscribe, "unsubscribe", dialect)
        if not subscribe:
            yield ("unsubscribe",), "there is no subscribe that it could undo"


def _alias(dialect: Dialect, subscribe: Subscribe) -> Iterator[Finding]:
    place: Location = ("subscribe", "ack", "alias")
    if subscribe.confirm != "ack":
        yield place, "needs confirm: ack, for only the answer hands it out"
    if "channels" in names(subscribe.send) and subscribe.ack and subscribe.ack.channel is None:
        yield place, "needs ack.channel, to tell which channel of the request it is for"
    if not any(rule.key is not None for rule in dialect.updates):
        yield place, "needs data.key, the path of it in updates"
    if "alias" in sent_names(dialect, subscribe):
        yield ("subscribe", "send"), "{alias} has no value before the confirmation"


def sent_names(dialect: Dialect, request: Subscribe | Unsubscribe) -> set[str]:
    """Return all names in a request, those in what stands for channels included."""
    own = set(names(request.send))
    for channel in dialect.channels.values():
        for name in tuple(own):
            if name in {"channel", "channels"}:
                own.update(names(channel.request))
            elif name.startswith(PART):
                own.update(names(getter(name.removeprefix(PART))(channel.request)))
    return own


def known_later(dialect: Dialect) -> tuple[str, ...]:
    """Return the names that frames after the opening may hold."""
    kept = (name for step in dialect.opening for name in step.keep)
    return (*_known_at_first(dialect), *kept)


def _known_at_first(dialect: Dialect) -> tuple[str, ...]:
    return ("id", *BUILT_IN, *dialect.needs, *dialect.signatures)


def _opening(dialect: Dialect) -> Iterator[Finding]:
    yield from _own_names(dialect)
    known = list(_known_at_first(dialect))
    for n, step in enumerate(dialect.opening):
        yield from _step(step, ("opening", n), known)
        known += step.keep


def _own_names(dialect: Dialect) -> Iterator[Finding]:
    """Yield which names mean something already or can stand in no template."""
    taken = {"id", "alias", "channel", "channels", "symbol", "scheme", "host", "port", *BUILT_IN}
    named: list[tuple[Location, str]] = [
        *((("needs", n), name) for n, name in enumerate(dialect.needs)),
        *((("signatures", name), name) for name in dialect.signatures),
    ]
    for n, step in enumerate(dialect.opening):
        named += ((("opening", n, "keep", name), name) for name in step.keep)
    for place, name in named:
        if not re.fullmatch("[a-z][a-z0-9_]*", name):
            yield place, f"must be small letters, digits and underscores (got {name[:60]!a})"
        elif name in taken:
            yield place, f"{name} means something already; take another name"
        taken.add(name)


def _step(step: Step, place: Location, known: list[str]) -> Iterator[Finding]:
    if step.send is not None and step.send_text is not None:
        yield place, "has send and send_text; only one of them"
    if step.answer is not None and step.answer_text is not None:
        yield place, "has answer and answer_text; only one of them"
    if step == Step():
        yield place, "does nothing; give send, send_text, answer or answer_text"
    if step.keep and step.answer is None:
        yield (*place, "keep"), "needs answer, the frame that has the values"
    yield from place_findings(step.send, (*place, "send"), *known)
    if step.answer is not None:
        yield from ack_findings(step.answer, (*place, "answer"), has_id="id" in names(step.send))
    for name, path in step.keep.items():
        yield from path_findings(path, (*place, "keep", name))


def _request(request: Subscribe | Unsubscribe, section: str, dialect: Dialect) -> Iterator[Finding]:
    send, ack, place = request.send, request.ack, (section, "send")
    parts = [name for name in dict.fromkeys(names(send)) if name.startswith(PART)]
    aliases = ("alias",) if dialect.has_aliases else ()
    allowed = ("channels", "channel", *known_later(dialect), *aliases)
    yield from place_findings(send, place, *allowed, *parts)
    yield from _parts(parts, send, place, dialect)
    if not parts and {"channels", "channel", "alias"}.isdisjoint(names(send)):
        yield place, "names no channel; put {channels:list}, {channel} or {channel.part} in it"
    if ack is None:
        return
    has_id = "id" in sent_names(dialect, request)
    yield from ack_findings(ack, (section, "ack"), has_id=has_id)
    yield from name_findings(ack.channel, (section, "ack", "channel"))


def _parts(parts: list[str], send: Any, place: Location, dialect: Dialect) -> Iterator[Finding]:
    """Yield which parts of channels there are not, or not for every channel that needs them."""
    must = set(needed(send))
    for name in parts:
        path = name.removeprefix(PART)
        channels = dialect.channels
        lacking = [key for key, one in channels.items() if getter(path)(one.request) is MISSING]
        if len(lacking) == len(channels):
            yield place, f"{{{name}}}: no channel's request has {path}"
        elif lacking and name in must:
            wrong = f"{{{name}}}: the request of {', '.join(lacking)} has no {path}, and only a key can be left out"
            yield place, wrong
    if parts and "channels" in names(send):
        yield (
            place,
            f"{{{parts[0]}}} is of one channel, so that {{channels:list}} cannot stand beside it",
        )


def _heartbeat(rule: Heartbeat, place: Location, known: tuple[str, ...]) -> Iterator[Finding]:
    given = [rule.when is not None, rule.when_text is not None, rule.every_s is not None]
    if sum(given) != 1:
        yield place, "needs exactly one of when, when_text and every_s"
    if rule.send is not None and rule.send_text is not None:
        yield place, "has send and send_text; only one of them"
    is_unasked = rule.when == "connect" or rule.every_s is not None
    if is_unasked and rule.send is None and rule.send_text is None:
        yield place, "has nothing to send; give send or send_text"
    if rule.every_s is not None:
        yield from positive_findings(rule.every_s, (*place, "every_s"))
    if isinstance(rule.when, dict):
        yield from matcher_findings(rule.when, (*place, "when"))
    elif rule.when is not None and rule.when != "connect":
        yield (*place, "when"), f"must be connect or a matcher (got {rule.when!r})"
    if isinstance(rule.when, dict):  # A name may be any path of the frame that is answered.
        own = [name for name in names(rule.send) if name not in {"channel", "channels"}]
        known = (*known, *own)
    yield from place_findings(rule.send, (*place, "send"), *known)
