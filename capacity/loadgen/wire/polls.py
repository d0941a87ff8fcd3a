"""The polls that a target file asks for, and the connections that they are made on."""

from collections.abc import Iterator, Mapping
from typing import Any

from capacity.domain.errors import ConfigError
from capacity.loadgen.wire.endpoint import Endpoint, host_by_certificate
from capacity.loadgen.wire.http_connection import HttpConnection
from capacity.loadgen.wire.memory_budget import MemoryBudget
from capacity.settings.secrets import header_values
from capacity.settings.target import Target
from capacity.settings.values import texts_of
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import Headers
from capacity.workload.dialects.template import names
from capacity.workload.dialects.values import NOTHING
from capacity.workload.poll import Poll, poll_of


def polls_of(target: Target, dialect: Dialect) -> tuple[Poll, ...]:
    """Return the target's REST request for each symbol in turn; none without a rest section."""
    rest = target.rest
    if rest is None:
        return ()
    return tuple(
        one_poll(target, dialect, rest.operation, symbol, is_kept=are_kept(target))
        for symbol in target.symbols or ("",)
    )


def are_kept(target: Target) -> bool:
    """Tell whether pollers keep their connections."""
    return target.rest is not None and target.rest.connections == "keep_alive"


def _is_same_place(target: Target) -> bool:
    return target.http_origin()[:2] == (target.host, target.port)


def _same_host(target: Target, dialect: Dialect) -> Headers:
    """Return the Host of the WebSocket, where requests go to the same place."""
    if not _is_same_place(target):
        return {}
    base = dialect.http.base if dialect.http is not None else ""
    headers = dialect.ws.headers if "host" in names(base) else {}
    return {name: value for name, value in headers.items() if name.lower() == "host"}


def fixed_values(target: Target) -> dict[str, str]:
    """Return the values of the target file that are the same for all connections."""
    return {
        name: text
        for name, value in target.values.items()
        if isinstance(text := texts_of(name, value), str)
    }


def one_poll(
    target: Target,
    dialect: Dialect,
    operation: str,
    symbol: str,
    *,
    is_kept: bool,
    values: Mapping[str, Any] = NOTHING,
) -> Poll:
    """Return the request of one operation, with what all connections have in it and *values* of one.

    Raises ConfigError where a header or a value cannot be had.
    """
    layers = (
        ("ws.headers", _same_host(target, dialect)),
        ("http.headers", dialect.http.headers if dialect.http is not None else {}),
        (f"rest.{operation}.headers", dialect.rest[operation].headers),
        ("headers", target.headers),
    )
    known = {**fixed_values(target), **values}
    host = host_by_certificate(target) if _is_same_place(target) else None
    to_host, to_port, tls = target.http_origin()
    try:
        return poll_of(
            dialect,
            operation,
            host=to_host,
            port=to_port,
            tls=tls,
            symbol=symbol,
            is_kept=is_kept,
            headers={
                **({"Host": host} if host is not None else {}),
                **header_values(layers, known),
            },
            values=known,
        )
    except KeyError as name:
        raise ConfigError(
            f"rest.{operation} or one of its headers holds {name}, which has no value for all requests;"
            " give it as a text, a file or env in values of the target file"
        ) from None


def shared_headers(target: Target, dialect: Dialect) -> dict[str, str]:
    """Return the headers of requests that are no operation of the dialect. Raises ConfigError."""
    host = host_by_certificate(target) if _is_same_place(target) else None
    layers = (
        ("ws.headers", _same_host(target, dialect)),
        ("http.headers", dialect.http.headers if dialect.http is not None else {}),
        ("headers", target.headers),
    )
    return {
        **({"Host": host} if host is not None else {}),
        **header_values(layers, fixed_values(target)),
    }


def poll_connection(
    target: Target,
    dialect: Dialect,
    url: str,
    sources: Iterator[str | None],
    timeout_s: float,
    *,
    is_kept: bool | None = None,
    budget: MemoryBudget | None = None,
) -> HttpConnection:
    """Return one poller's connection to where *url* is, not yet open; it leaves from the next of *sources* each time.

    *is_kept* says whether it stays open between requests, where not the target file does.
    """
    certificates = target.certificates
    if certificates is not None and not _is_same_place(target):
        certificates = certificates.model_copy(update={"server_name": None})

    def endpoint() -> Endpoint:
        return Endpoint(
            url=url,
            timeout_s=dialect.ws.open_timeout_s,
            source_address=next(sources),
            certificates=certificates,
            proxy=target.proxy,
        )

    return HttpConnection(
        endpoint,
        is_kept=are_kept(target) if is_kept is None else is_kept,
        max_answer_bytes=dialect.ws.max_message_bytes,
        timeout_s=timeout_s,
        budget=budget,
    )
