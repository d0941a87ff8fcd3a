"""config/dialects/*.yaml: a protocol as data, checked as far as that is possible without a target."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from capacity.settings.dialects.entry_findings import entry_findings, version_findings
from capacity.settings.dialects.headers import (
    OF_HANDSHAKE,
    header_findings,
    request_header_findings,
)
from capacity.settings.dialects.impossible import impossible_findings, mqtt_findings
from capacity.settings.dialects.notation import (
    ack_findings,
    matcher_findings,
    name_findings,
    path_findings,
    place_findings,
    positive_findings,
)
from capacity.settings.dialects.transports import transport_findings
from capacity.settings.secrets import anchored
from capacity.settings.yaml_files.yaml_file import Finding, load
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.dialect import (
    Ack,
    Data,
    Dialect,
    Heartbeat,
    Messages,
    Sequence,
    Step,
)
from capacity.workload.dialects.payload import MODULES, missing_library
from capacity.workload.dialects.template import names
from capacity.workload.dialects.values import BUILT_IN

ADAPTER: TypeAdapter[Dialect] = TypeAdapter(Dialect)

PACKINGS = ("none", "gzip", "zlib", "deflate", "brotli", "zstd")


def load_dialect(path: Path) -> Dialect:
    """Return the dialect in *path*. Raises ConfigError."""
    dialect, folder = load(path, ADAPTER, findings), path.parent
    http = dialect.http
    return replace(
        dialect,
        ws=replace(dialect.ws, headers=anchored(dialect.ws.headers, folder)),
        http=replace(http, headers=anchored(http.headers, folder)) if http else None,
        rest={
            name: replace(operation, headers=anchored(operation.headers, folder))
            for name, operation in dialect.rest.items()
        },
    )


def dump(dialect: Dialect) -> dict[str, Any]:
    """Return *dialect* as plain data, as the master sends it to its workers."""
    dumped: dict[str, Any] = ADAPTER.dump_python(dialect, mode="json")
    return dumped


def parse(data: dict[str, Any]) -> Dialect:
    """Return what dump made of a dialect."""
    return ADAPTER.validate_python(data)


def findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield what is wrong although every value has the right type."""
    yield from _addresses(dialect)
    yield from transport_findings(dialect)
    yield from _channels(dialect)
    yield from _requests(dialect)
    yield from _opening(dialect)
    for n, rule in enumerate(dialect.heartbeat):
        yield from _heartbeat(rule, ("heartbeat", n), _known_later(dialect))
    for n, matcher in enumerate(dialect.ignore):
        yield from matcher_findings(matcher, ("ignore", n))
    yield from _data(dialect)
    if dialect.time:
        yield from path_findings(dialect.time.path, ("time", "path"))
    for n, sequence in enumerate(dialect.sequence):
        yield from _sequence(sequence, ("sequence", n))
    yield from _operations(dialect)
    if dialect.orders is not None:
        yield from entry_findings(dialect.orders)
    yield from impossible_findings(dialect)


def _data(dialect: Dialect) -> Iterator[Finding]:
    messages, rules = dialect.messages, dialect.updates
    if not rules and messages.content != "opaque":
        yield ("data",), "needs a rule; only where messages.content is opaque there may be none"
    for n, rule in enumerate(rules):
        place: Location = ("data",) if isinstance(dialect.data, Data) else ("data", n)
        yield from matcher_findings(rule.where, (*place, "where"))
        yield from name_findings(rule.key, (*place, "key"))
        yield from path_findings(rule.items, (*place, "items"))
    if messages.list != "$":
        yield from path_findings(messages.list, ("messages", "list"))
    if messages.pattern is not None:
        yield from _pattern(messages)
    if messages.content == "mqtt":
        yield from mqtt_findings(dialect)
    library = missing_library(messages.packing)
    if library is not None:
        others = ", ".join(name for name in PACKINGS if name not in MODULES)
        wrong = (
            f"{messages.packing} needs the Python package {library}, which is not installed here;"
            f" install it on all hosts of the generator, or have the target pack by {others}"
        )
        yield ("messages", "packing"), wrong


def _pattern(messages: Messages) -> Iterator[Finding]:
    place: Location = ("messages", "pattern")
    try:
        compiled = re.compile(messages.pattern or "")
    except re.error as error:
        yield place, f"no regular expression: {error}"
        return
    if not compiled.groupindex:
        yield place, "has no named group; name what is to be read, as in (?P<channel>[^ ]+)"
    if messages.divider != "none":
        yield place, "divides messages by itself; leave out messages.divider"
    if messages.content != "json":
        yield place, f"is of no use where messages.content is {messages.content}"


def _addresses(dialect: Dialect) -> Iterator[Finding]:
    endpoint = dialect.ws
    given = ("connection", *dialect.needs)
    origin = ("scheme", "host", "port")
    yield from place_findings(endpoint.url, ("ws", "url"), *origin, "channel", "channels", *given)
    yield from header_findings(endpoint.headers, ("ws", "headers"), given)
    for name in endpoint.headers:
        if name.lower() in OF_HANDSHAKE:
            yield ("ws", "headers", name), f"belongs to the handshake{OF_HANDSHAKE[name.lower()]}"
    if endpoint.requests_per_s is not None:
        yield from positive_findings(endpoint.requests_per_s, ("ws", "requests_per_s"))
    names_channel = not {"channel", "channels"}.isdisjoint(names(endpoint.url))
    if names_channel and not endpoint.idle_channel:
        yield ("ws", "url"), "names a channel, so that ws.idle_channel is needed too"
    if "channel" in names(endpoint.url) and "channels" in names(endpoint.url):
        yield ("ws", "url"), "has {channel} and {channels}; only one of them"
    yield from positive_findings(endpoint.open_timeout_s, ("ws", "open_timeout_s"))
    yield from positive_findings(endpoint.max_message_bytes, ("ws", "max_message_bytes"))
    if dialect.http:
        yield from place_findings(dialect.http.base, ("http", "base"), *origin)
        yield from request_header_findings(dialect.http.headers, ("http", "headers"), dialect.needs)


def _channels(dialect: Dialect) -> Iterator[Finding]:
    if not dialect.channels:
        yield ("channels",), "needs at least one channel"
    for name, channel in dialect.channels.items():
        yield from place_findings(channel.wire, ("channels", name, "wire"), "symbol")
        yield from place_findings(channel.request, ("channels", name, "request"), "symbol")


def _requests(dialect: Dialect) -> Iterator[Finding]:
    subscribe, unsubscribe = dialect.subscribe, dialect.unsubscribe
    if subscribe:
        yield from _request(subscribe.send, subscribe.ack, "subscribe", _known_later(dialect))
        yield from positive_findings(subscribe.batch, ("subscribe", "batch"))
        if subscribe.confirm == "ack" and not subscribe.ack:
            yield ("subscribe",), "confirm: ack needs an ack; else confirm by first_data or none"
    if unsubscribe:
        yield from _request(unsubscribe.send, unsubscribe.ack, "unsubscribe", _known_later(dialect))
        if not subscribe:
            yield ("unsubscribe",), "there is no subscribe that it could undo"


def _known_later(dialect: Dialect) -> tuple[str, ...]:
    """Return the names that frames after the opening may hold."""
    kept = (name for step in dialect.opening for name in step.keep)
    return (*_known_at_first(dialect), *kept)


def _known_at_first(dialect: Dialect) -> tuple[str, ...]:
    return ("id", *BUILT_IN, *dialect.needs, *dialect.signatures)


def _opening(dialect: Dialect) -> Iterator[Finding]:
    yield from _own_names(dialect)
    for name, signature in dialect.signatures.items():
        for key in ("key", "text"):
            others = (*(each for each in _known_later(dialect) if each != name), "channel")
            yield from place_findings(getattr(signature, key), ("signatures", name, key), *others)
    known = list(_known_at_first(dialect))
    for n, step in enumerate(dialect.opening):
        yield from _step(step, ("opening", n), known)
        known += step.keep


def _own_names(dialect: Dialect) -> Iterator[Finding]:
    """Yield which names mean something already or can stand in no template."""
    taken = {"id", "channel", "channels", "symbol", "scheme", "host", "port", *BUILT_IN}
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


def _request(send: Any, ack: Ack | None, section: str, known: tuple[str, ...]) -> Iterator[Finding]:
    yield from place_findings(send, (section, "send"), "channels", "channel", *known)
    if not {"channels", "channel"} & set(names(send)):
        yield (section, "send"), "names no channel; put {channels:list} or {channel} in it"
    if ack is None:
        return
    yield from ack_findings(ack, (section, "ack"), has_id="id" in names(send))
    yield from name_findings(ack.channel, (section, "ack", "channel"))


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


def _sequence(rule: Sequence, place: Location) -> Iterator[Finding]:
    if rule.rule != "none" and rule.seq is None:
        yield place, f"rule {rule.rule} needs seq"
    if rule.rule == "prev_link" and rule.prev is None:
        yield place, "rule prev_link needs prev"
    if rule.rule != "prev_link" and rule.prev is not None:
        yield (*place, "prev"), f"rule {rule.rule} has no use for it; prev_link has"
    if rule.rule == "range" and rule.first is None:
        yield place, "rule range needs first"
    if rule.rule != "range" and rule.first is not None:
        yield (*place, "first"), f"rule {rule.rule} has no use for it; range has"
    yield from path_findings(rule.seq, (*place, "seq"))
    yield from path_findings(rule.prev, (*place, "prev"))
    yield from path_findings(rule.first, (*place, "first"))
    if rule.snapshot:
        if rule.snapshot.missing is None and rule.snapshot.where is None:
            yield (*place, "snapshot"), "needs missing or where"
        yield from path_findings(rule.snapshot.missing, (*place, "snapshot", "missing"))
        yield from matcher_findings(rule.snapshot.where or {}, (*place, "snapshot", "where"))


def _operations(dialect: Dialect) -> Iterator[Finding]:
    if dialect.rest and not dialect.http:
        yield ("rest",), "needs http.base, the address before every path"
    for name, operation in dialect.rest.items():
        place: Location = ("rest", name)
        yield from place_findings(operation.path, (*place, "path"), "symbol")
        yield from place_findings(operation.query, (*place, "query"), "symbol")
        yield from place_findings(operation.body, (*place, "body"), "symbol")
        yield from request_header_findings(operation.headers, (*place, "headers"), dialect.needs)
        yield from path_findings(operation.version, (*place, "version"))
        yield from version_findings(dialect, operation, place)
        if operation.time:
            yield from path_findings(operation.time.path, (*place, "time", "path"))
        if not operation.path.startswith("/"):
            yield (*place, "path"), f"must begin with / (got {operation.path!r})"
