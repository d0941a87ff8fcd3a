"""Which channels a connection follows, and under which address."""

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import orjson

from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.template import fill
from capacity.workload.dialects.values import NOTHING


def channel_name(dialect: Dialect, logical: str, symbol: str) -> str:
    """Return the name on the wire of one logical channel for one symbol."""
    # Interned: thousands of connections hold the same few names.
    return intern(str(fill(dialect.channels[logical].wire, {"symbol": symbol})))


def channels_of(
    dialect: Dialect,
    connection: int,
    logical: Sequence[str],
    symbols: Sequence[str],
    count: int,
) -> list[str]:
    """Return the wire names that connection number *connection* follows.

    All names are the product channel × symbol, symbols running fastest; connection i starts
    at the i-th of them and wraps around, so that any number of connections spreads evenly
    over the names. Never more than there are, and no name twice.
    """
    symbols = symbols or ("",)
    total = len(logical) * len(symbols)
    chosen: dict[str, None] = {}
    for n in range(connection, connection + total):
        if len(chosen) >= count:
            break
        of_channel, of_symbol = divmod(n % total, len(symbols))
        chosen[channel_name(dialect, logical[of_channel], symbols[of_symbol])] = None
    return list(chosen)


def websocket_url(
    dialect: Dialect,
    *,
    host: str,
    port: int,
    tls: bool,
    channels: Sequence[str] = (),
    values: Mapping[str, Any] = NOTHING,
) -> str:
    """Return the address of what updates come from, with the connection's own *values* in it.

    Without *channels* an address that must name one names the dialect's idle channel.
    """
    followed = list(channels) or [dialect.ws.idle_channel or ""]
    quoted = [quote(channel, safe="") for channel in followed]
    values = {
        **{name: quote(str(value), safe="") for name, value in values.items()},
        **origin_of("ws" if dialect.ws.transport == "websocket" else "http", host, port, tls=tls),
        "channel": quoted[0],
        "channels": ",".join(quoted),
    }
    return str(fill(dialect.ws.url, values))


def rest_request(
    dialect: Dialect,
    operation: str,
    *,
    host: str,
    port: int,
    tls: bool,
    symbol: str,
    values: Mapping[str, Any] = NOTHING,
) -> tuple[str, str, bytes | None]:
    """Return method, address and JSON body of one REST operation for one symbol, with *values* in it.

    Raises KeyError for an operation or an HTTP section that the dialect does not have, and for a name
    that has no value.
    """
    if dialect.http is None:
        raise KeyError("http")
    asked = dialect.rest[operation]
    base = str(fill(dialect.http.base, origin_of("http", host, port, tls=tls)))
    known = {**values, "symbol": symbol}
    quoted = {name: quote(str(value), safe="") for name, value in known.items()}
    path = str(fill(asked.path, quoted))
    query = urlencode(fill(asked.query, known))
    body = None if asked.body is None else orjson.dumps(fill(asked.body, known))
    return asked.method, f"{base}{path}{'?' if query else ''}{query}", body


def origin_of(scheme: str, host: str, port: int, *, tls: bool) -> dict[str, str]:
    """Return the values that addresses of a dialect hold."""
    return {
        "scheme": f"{scheme}s" if tls else scheme,
        "host": f"[{host}]" if ":" in host else host,
        "port": str(port),
    }


def shown_url(url: str) -> str:
    """Return *url* as output may show it: what its query holds may be a token."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    names = [name for name, _value in parse_qsl(parts.query, keep_blank_values=True)]
    hidden = "&".join(f"{quote(name)}=…" for name in names) or "…"
    return urlunsplit(parts._replace(query=hidden))
