"""config/dialects/*.yaml: a protocol as data, checked as far as that is possible without a target."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from capacity.settings.yaml_file import Finding, load
from capacity.settings.yaml_nodes import Location
from capacity.workload.compiled import id_place
from capacity.workload.dialect import Ack, Dialect, Heartbeat, Matcher, Sequence
from capacity.workload.matching import OPERATORS
from capacity.workload.template import names

ADAPTER: TypeAdapter[Dialect] = TypeAdapter(Dialect)

_PATH = re.compile(r"(\$\.)?[^.\s\[\]{}]+(\.[^.\s\[\]{}]+)*")


def load_dialect(path: Path) -> Dialect:
    """Return the dialect in *path*. Raises ConfigError."""
    return load(path, ADAPTER, findings)


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
    for n, rule in enumerate(dialect.heartbeat):
        yield from _heartbeat(rule, ("heartbeat", n))
    for n, matcher in enumerate(dialect.ignore):
        yield from _matcher(matcher, ("ignore", n))
    yield from _matcher(dialect.data.where, ("data", "where"))
    yield from _path(dialect.data.key, ("data", "key"))
    yield from _path(dialect.data.items, ("data", "items"))
    if dialect.time:
        yield from _path(dialect.time.path, ("time", "path"))
    for n, sequence in enumerate(dialect.sequence):
        yield from _sequence(sequence, ("sequence", n))
    yield from _operations(dialect)


def _addresses(dialect: Dialect) -> Iterator[Finding]:
    endpoint = dialect.ws
    yield from _places(endpoint.url, ("ws", "url"), "scheme", "host", "port", "channel", "channels")
    names_channel = not {"channel", "channels"}.isdisjoint(names(endpoint.url))
    if names_channel and not endpoint.idle_channel:
        yield ("ws", "url"), "names a channel, so that ws.idle_channel is needed too"
    if "channel" in names(endpoint.url) and "channels" in names(endpoint.url):
        yield ("ws", "url"), "has {channel} and {channels}; only one of them"
    yield from _positive(endpoint.open_timeout_s, ("ws", "open_timeout_s"))
    yield from _positive(endpoint.max_message_bytes, ("ws", "max_message_bytes"))
    if dialect.http:
        yield from _places(dialect.http.base, ("http", "base"), "scheme", "host", "port")


def _channels(dialect: Dialect) -> Iterator[Finding]:
    if not dialect.channels:
        yield ("channels",), "needs at least one channel"
    for name, channel in dialect.channels.items():
        yield from _places(channel.wire, ("channels", name, "wire"), "symbol")


def _requests(dialect: Dialect) -> Iterator[Finding]:
    subscribe, unsubscribe = dialect.subscribe, dialect.unsubscribe
    if subscribe:
        yield from _request(subscribe.send, subscribe.ack, "subscribe")
        yield from _positive(subscribe.batch, ("subscribe", "batch"))
        if subscribe.confirm == "ack" and not subscribe.ack:
            yield ("subscribe",), "confirm: ack needs an ack; else confirm by first_data or none"
    if unsubscribe:
        yield from _request(unsubscribe.send, unsubscribe.ack, "unsubscribe")
        if not subscribe:
            yield ("unsubscribe",), "there is no subscribe that it could undo"


def _request(send: Any, ack: Ack | None, section: str) -> Iterator[Finding]:
    yield from _places(send, (section, "send"), "id", "channels", "channel")
    if not {"channels", "channel"} & set(names(send)):
        yield (section, "send"), "names no channel; put {channels:list} or {channel} in it"
    if ack is None:
        return
    place: Location = (section, "ack")
    ids = [path for path, expected in ack.where.items() if id_place(expected)]
    if len(ids) > 1:
        yield (*place, "where"), "has the request's id twice"
    if ids and "id" not in names(send):
        yield (*place, "where", ids[0]), "is matched to the request's id, but send has none"
    others = {path: value for path, value in ack.where.items() if path not in ids}
    yield from _matcher(others, (*place, "where"))
    yield from _matcher(ack.ok, (*place, "ok"))
    yield from _path(ack.accepted, (*place, "accepted"))
    if ack.error:
        yield from _matcher(ack.error.where, (*place, "error", "where"))
        yield from _path(ack.error.code, (*place, "error", "code"))
        yield from _path(ack.error.message, (*place, "error", "message"))


def _heartbeat(rule: Heartbeat, place: Location) -> Iterator[Finding]:
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
    yield from _places(rule.send, (*place, "send"), "id")


def _sequence(rule: Sequence, place: Location) -> Iterator[Finding]:
    if rule.rule != "none" and rule.seq is None:
        yield place, f"rule {rule.rule} needs seq"
    if rule.rule == "prev_link" and rule.prev is None:
        yield place, "rule prev_link needs prev"
    if rule.rule != "prev_link" and rule.prev is not None:
        yield (*place, "prev"), f"rule {rule.rule} has no use for it; prev_link has"
    yield from _path(rule.seq, (*place, "seq"))
    yield from _path(rule.prev, (*place, "prev"))
    if rule.snapshot:
        yield from _path(rule.snapshot.missing, (*place, "snapshot", "missing"))


def _operations(dialect: Dialect) -> Iterator[Finding]:
    if dialect.rest and not dialect.http:
        yield ("rest",), "needs http.base, the address before every path"
    for name, operation in dialect.rest.items():
        place: Location = ("rest", name)
        yield from _places(operation.path, (*place, "path"), "symbol")
        yield from _places(operation.query, (*place, "query"), "symbol")
        yield from _places(operation.body, (*place, "body"), "symbol")
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
    for name in dict.fromkeys(names(tree)):
        if name not in allowed:
            known = ", ".join(f"{{{one}}}" for one in allowed)
            yield place, f"{{{name}}} has no value here; there is {known}"


def _path(path: str | None, place: Location) -> Iterator[Finding]:
    if path is not None and not _PATH.fullmatch(path):
        yield place, f"no path; keys joined by dots, such as params.channel (got {path!r})"


def _positive(value: float, place: Location) -> Iterator[Finding]:
    if value <= 0:
        yield place, f"must be greater than 0 (got {value:g})"
