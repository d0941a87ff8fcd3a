"""config/dialects/*.yaml: a protocol as data, checked as far as that is possible without a target."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from capacity.settings.dialects.entry_findings import entry_findings, version_findings
from capacity.settings.dialects.impossible import impossible_findings, mqtt_findings
from capacity.settings.secrets import anchored
from capacity.settings.yaml_files.yaml_file import Finding, load
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.compiled import id_place
from capacity.workload.dialects.dialect import (
    Ack,
    Data,
    Dialect,
    Headers,
    Heartbeat,
    Matcher,
    Messages,
    Secret,
    Sequence,
    Step,
)
from capacity.workload.dialects.matching import OPERATORS, paths_of
from capacity.workload.dialects.payload import MODULES, missing_library
from capacity.workload.dialects.template import CASTS, names, places
from capacity.workload.dialects.values import BUILT_IN

ADAPTER: TypeAdapter[Dialect] = TypeAdapter(Dialect)

PACKINGS = ("none", "gzip", "zlib", "deflate", "brotli", "zstd")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token by RFC 9110, section 5.6.2."""
OF_HANDSHAKE = {
    "connection": "",
    "upgrade": "",
    "sec-websocket-key": "",
    "sec-websocket-version": "",
    "sec-websocket-extensions": "; use ws.compression",
    "sec-websocket-protocol": "; use ws.subprotocols",
}
OF_REQUEST = {"connection", "content-length", "transfer-encoding"}
_PATH = re.compile(r"(\$\.)?[^.\s\[\]{}]+(\.[^.\s\[\]{}]+)*")


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
    yield from _channels(dialect)
    yield from _requests(dialect)
    yield from _opening(dialect)
    for n, rule in enumerate(dialect.heartbeat):
        yield from _heartbeat(rule, ("heartbeat", n), _known_later(dialect))
    for n, matcher in enumerate(dialect.ignore):
        yield from _matcher(matcher, ("ignore", n))
    yield from _data(dialect)
    if dialect.time:
        yield from _path(dialect.time.path, ("time", "path"))
    for n, sequence in enumerate(dialect.sequence):
        yield from _sequence(sequence, ("sequence", n))
    yield from _operations(dialect)
    if dialect.orders is not None:
        yield from entry_findings(dialect.orders, _ack, _path)
    yield from impossible_findings(dialect)


def _data(dialect: Dialect) -> Iterator[Finding]:
    messages, rules = dialect.messages, dialect.updates
    if not rules and messages.content != "opaque":
        yield ("data",), "needs a rule; only where messages.content is opaque there may be none"
    for n, rule in enumerate(rules):
        place: Location = ("data",) if isinstance(dialect.data, Data) else ("data", n)
        yield from _matcher(rule.where, (*place, "where"))
        yield from _name(rule.key, (*place, "key"))
        yield from _path(rule.items, (*place, "items"))
    if messages.list != "$":
        yield from _path(messages.list, ("messages", "list"))
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
    yield from _places(endpoint.url, ("ws", "url"), *origin, "channel", "channels", *given)
    yield from header_findings(endpoint.headers, ("ws", "headers"), given)
    for name in endpoint.headers:
        if name.lower() in OF_HANDSHAKE:
            yield ("ws", "headers", name), f"belongs to the handshake{OF_HANDSHAKE[name.lower()]}"
    if endpoint.requests_per_s is not None:
        yield from _positive(endpoint.requests_per_s, ("ws", "requests_per_s"))
    names_channel = not {"channel", "channels"}.isdisjoint(names(endpoint.url))
    if names_channel and not endpoint.idle_channel:
        yield ("ws", "url"), "names a channel, so that ws.idle_channel is needed too"
    if "channel" in names(endpoint.url) and "channels" in names(endpoint.url):
        yield ("ws", "url"), "has {channel} and {channels}; only one of them"
    yield from _positive(endpoint.open_timeout_s, ("ws", "open_timeout_s"))
    yield from _positive(endpoint.max_message_bytes, ("ws", "max_message_bytes"))
    if dialect.http:
        yield from _places(dialect.http.base, ("http", "base"), *origin)
        yield from _request_headers(dialect.http.headers, ("http", "headers"), dialect.needs)


def _channels(dialect: Dialect) -> Iterator[Finding]:
    if not dialect.channels:
        yield ("channels",), "needs at least one channel"
    for name, channel in dialect.channels.items():
        yield from _places(channel.wire, ("channels", name, "wire"), "symbol")
        yield from _places(channel.request, ("channels", name, "request"), "symbol")


def _requests(dialect: Dialect) -> Iterator[Finding]:
    subscribe, unsubscribe = dialect.subscribe, dialect.unsubscribe
    if subscribe:
        yield from _request(subscribe.send, subscribe.ack, "subscribe", _known_later(dialect))
        yield from _positive(subscribe.batch, ("subscribe", "batch"))
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
            yield from _places(getattr(signature, key), ("signatures", name, key), *others)
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
    yield from _places(step.send, (*place, "send"), *known)
    if step.answer is not None:
        yield from _ack(step.answer, (*place, "answer"), has_id="id" in names(step.send))
    for name, path in step.keep.items():
        yield from _path(path, (*place, "keep", name))


def _request_headers(headers: Headers, place: Location, known: Iterable[str]) -> Iterator[Finding]:
    yield from header_findings(headers, place, known)
    for name in headers:
        if name.lower() in OF_REQUEST:
            yield (
                (*place, name),
                "is set by what is sent and by rest.connections of the target file",
            )


def header_findings(
    headers: Headers, place: Location, known: Iterable[str] = ()
) -> Iterator[Finding]:
    """Yield what is wrong with headers whose texts may hold the values *known*."""
    for name, value in headers.items():
        here = (*place, name)
        if not _HEADER_NAME.fullmatch(name):
            yield here, "is no name of a header: letters, digits and dashes"
        elif isinstance(value, Secret):
            if (value.file is None) == (value.env is None):
                yield here, "needs exactly one of file and env, or is a text"
        elif not value.isprintable() or value != value.strip():
            yield here, "must be one line of visible characters"
        else:
            yield from _places(value, here, *known)


def _request(send: Any, ack: Ack | None, section: str, known: tuple[str, ...]) -> Iterator[Finding]:
    yield from _places(send, (section, "send"), "channels", "channel", *known)
    if not {"channels", "channel"} & set(names(send)):
        yield (section, "send"), "names no channel; put {channels:list} or {channel} in it"
    if ack is None:
        return
    yield from _ack(ack, (section, "ack"), has_id="id" in names(send))
    yield from _name(ack.channel, (section, "ack", "channel"))


def _ack(ack: Ack, place: Location, *, has_id: bool) -> Iterator[Finding]:
    ids = [path for path, expected in ack.where.items() if id_place(expected)]
    if len(ids) > 1:
        yield (*place, "where"), "has the request's id twice"
    if ids and not has_id:
        yield (*place, "where", ids[0]), "is matched to the request's id, but send has none"
    others = {path: value for path, value in ack.where.items() if path not in ids}
    yield from _matcher(others, (*place, "where"))
    yield from _matcher(ack.ok, (*place, "ok"))
    yield from _path(ack.accepted, (*place, "accepted"))
    if ack.error:
        yield from _matcher(ack.error.where, (*place, "error", "where"))
        yield from _path(ack.error.code, (*place, "error", "code"))
        yield from _path(ack.error.message, (*place, "error", "message"))


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
        yield from _positive(rule.every_s, (*place, "every_s"))
    if isinstance(rule.when, dict):
        yield from _matcher(rule.when, (*place, "when"))
    elif rule.when is not None and rule.when != "connect":
        yield (*place, "when"), f"must be connect or a matcher (got {rule.when!r})"
    if isinstance(rule.when, dict):  # A name may be any path of the frame that is answered.
        own = [name for name in names(rule.send) if name not in {"channel", "channels"}]
        known = (*known, *own)
    yield from _places(rule.send, (*place, "send"), *known)


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
    yield from _path(rule.seq, (*place, "seq"))
    yield from _path(rule.prev, (*place, "prev"))
    yield from _path(rule.first, (*place, "first"))
    if rule.snapshot:
        if rule.snapshot.missing is None and rule.snapshot.where is None:
            yield (*place, "snapshot"), "needs missing or where"
        yield from _path(rule.snapshot.missing, (*place, "snapshot", "missing"))
        yield from _matcher(rule.snapshot.where or {}, (*place, "snapshot", "where"))


def _operations(dialect: Dialect) -> Iterator[Finding]:
    if dialect.rest and not dialect.http:
        yield ("rest",), "needs http.base, the address before every path"
    for name, operation in dialect.rest.items():
        place: Location = ("rest", name)
        yield from _places(operation.path, (*place, "path"), "symbol")
        yield from _places(operation.query, (*place, "query"), "symbol")
        yield from _places(operation.body, (*place, "body"), "symbol")
        yield from _request_headers(operation.headers, (*place, "headers"), dialect.needs)
        yield from _path(operation.version, (*place, "version"))
        yield from version_findings(dialect, operation, place)
        if operation.time:
            yield from _path(operation.time.path, (*place, "time", "path"))
        if not operation.path.startswith("/"):
            yield (*place, "path"), f"must begin with / (got {operation.path!r})"


def _matcher(matcher: Matcher, place: Location) -> Iterator[Finding]:
    for path, expected in matcher.items():
        here = (*place, path)
        yield from _path(path, here)
        if not isinstance(expected, Mapping):
            continue
        if len(expected) != 1 or next(iter(expected)) not in OPERATORS:
            yield here, f"must be a value or one of {', '.join(OPERATORS)} with its operand"
            continue
        ((operator, operand),) = expected.items()
        if operator == "exists" and not isinstance(operand, bool):
            yield (*here, operator), "must be true or false"
        elif operator == "in" and not isinstance(operand, list):
            yield (*here, operator), "must be a list"
        elif operator == "regex":
            try:
                re.compile(operand)
            except (re.error, TypeError) as error:
                yield (*here, operator), f"no regular expression: {error}"


def _places(tree: Any, place: Location, *allowed: str) -> Iterator[Finding]:
    for name, cast, is_whole in dict.fromkeys(places(tree)):
        shown = f"{{{name}:{cast}}}" if cast else f"{{{name}}}"
        if name not in allowed:
            known = ", ".join(f"{{{one}}}" for one in allowed)
            yield place, f"{shown} has no value here; there is {known}"
        elif cast is not None and cast not in CASTS:
            yield place, f"{shown} has an unknown form; there are {', '.join(CASTS)}"
        elif (cast == "list") != (name == "channels") and (cast or name != "channels"):
            form = "a list: {channels:list}" if name == "channels" else f"no list: {{{name}}}"
            yield place, f"{shown} does not go together; it is {form}"
        elif cast == "list" and not is_whole:
            yield place, f"{shown} is a list and must stand alone"


def _path(path: str | None, place: Location) -> Iterator[Finding]:
    if path is not None and not _PATH.fullmatch(path):
        yield place, f"no path; keys joined by dots, such as params.channel (got {path!r})"


def _name(name: str | None, place: Location) -> Iterator[Finding]:
    """Yield what is wrong with a channel's name, which may be put together of paths."""
    for path in paths_of(name) if name is not None else ():
        yield from _path(path, place)


def _positive(value: float, place: Location) -> Iterator[Finding]:
    if value <= 0:
        yield place, f"must be greater than 0 (got {value:g})"
