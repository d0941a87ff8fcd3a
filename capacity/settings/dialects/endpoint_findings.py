"""What is wrong with a dialect's addresses, headers, channels and REST operations."""

import re
from collections.abc import Iterator

from capacity.settings.dialects.entry_findings import version_findings
from capacity.settings.dialects.headers import (
    OF_HANDSHAKE,
    header_findings,
    request_header_findings,
)
from capacity.settings.dialects.notation import path_findings, place_findings, positive_findings
from capacity.settings.dialects.sending_findings import known_later
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.template import LETTERS, names, places

_TO_TARGET = re.compile(r"[^/]+://\{host\}(:|/|$)")
_SHOWN_LETTERS = 80
_ORIGIN = ("scheme", "host", "port")
_FOLLOWED = ("channel", "channels")


def endpoint_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield what is wrong with where connections and requests go."""
    yield from _addresses(dialect)
    yield from _channels(dialect)
    yield from _operations(dialect)


def url_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield what is wrong with the address of its connections, at ws.url."""
    given = ("connection", *dialect.needs, *dialect.signatures)
    yield from place_findings(dialect.ws.url, ("ws", "url"), *_ORIGIN, *_FOLLOWED, *given)
    yield from _elsewhere(dialect.ws.url, ("ws", "url"))
    named = set(_FOLLOWED) & set(names(dialect.ws.url))
    if named and not dialect.ws.idle_channel:
        yield ("ws", "url"), "names a channel, so that ws.idle_channel is needed too"
    if len(named) > 1:
        yield ("ws", "url"), "has {channel} and {channels}; only one of them"


def _addresses(dialect: Dialect) -> Iterator[Finding]:
    endpoint = dialect.ws
    given = ("connection", *dialect.needs, *dialect.signatures)
    yield from url_findings(dialect)
    yield from header_findings(endpoint.headers, ("ws", "headers"), given)
    for name in endpoint.headers:
        if name.lower() in OF_HANDSHAKE:
            yield ("ws", "headers", name), f"belongs to the handshake{OF_HANDSHAKE[name.lower()]}"
    for key in ("requests_per_s", "total_requests_per_s"):
        if (most_per_s := getattr(endpoint, key)) is not None:
            yield from positive_findings(most_per_s, ("ws", key))
    yield from positive_findings(endpoint.open_timeout_s, ("ws", "open_timeout_s"))
    yield from positive_findings(endpoint.max_message_bytes, ("ws", "max_message_bytes"))
    if dialect.http:
        yield from _elsewhere(dialect.http.base, ("http", "base"))
        yield from place_findings(dialect.http.base, ("http", "base"), *_ORIGIN)
        yield from request_header_findings(dialect.http.headers, ("http", "headers"), dialect.needs)
        if (weight_per_s := dialect.http.total_weight_per_s) is not None:
            yield from positive_findings(weight_per_s, ("http", "total_weight_per_s"))


def _elsewhere(address: str, place: Location) -> Iterator[Finding]:
    """Yield that an address leads to a host that the target file does not name."""
    if not _TO_TARGET.match(address):
        wrong = (
            "must begin with {scheme}://{host}:{port}, which the target file gives: load goes to no other"
            f" host (got {address[:_SHOWN_LETTERS]!a})"
        )
        yield place, wrong


def _channels(dialect: Dialect) -> Iterator[Finding]:
    if not dialect.channels:
        yield ("channels",), "needs at least one channel"
    for name, channel in dialect.channels.items():
        yield from place_findings(channel.wire, ("channels", name, "wire"), "symbol")
        for each in places(channel.wire):
            if each.cast in LETTERS:
                yield (
                    ("channels", name, "wire"),
                    f"{each.shown} cannot be told from the name again; write {{symbol}}, and symbols as the names have them",
                )
        allowed = ("symbol", *known_later(dialect), *(("alias",) if dialect.has_aliases else ()))
        yield from place_findings(channel.request, ("channels", name, "request"), *allowed)


def _operations(dialect: Dialect) -> Iterator[Finding]:
    if dialect.rest and not dialect.http:
        yield ("rest",), "needs http.base, the address before every path"
    for name, operation in dialect.rest.items():
        place: Location = ("rest", name)
        known = ("symbol", "connection", *dialect.needs)
        yield from place_findings(operation.path, (*place, "path"), *known)
        yield from place_findings(operation.query, (*place, "query"), *known)
        yield from place_findings(operation.body, (*place, "body"), *known)
        yield from request_header_findings(operation.headers, (*place, "headers"), dialect.needs)
        yield from path_findings(operation.version, (*place, "version"))
        yield from version_findings(dialect, operation, place)
        if operation.weight < 0.0:
            yield (*place, "weight"), f"must be 0 or more (got {operation.weight:g})"
        if operation.time:
            yield from path_findings(operation.time.path, (*place, "time", "path"))
        if not operation.path.startswith("/"):
            yield (*place, "path"), f"must begin with / (got {operation.path!r})"
