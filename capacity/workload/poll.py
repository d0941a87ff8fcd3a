"""A REST poll as bytes to send, and when its answer says that it was written; no socket, no clock."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from capacity.workload.dialects.address import rest_request
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.moment import Clock, clock_by
from capacity.workload.dialects.values import NOTHING

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One request, the same again and again."""

    name: str
    """Name of the operation."""
    method: str
    url: str
    head: bytes
    """Request line and the headers that never change; the empty line comes after further ones."""
    body: bytes
    clock: Clock | None
    """Reads when the answer was written; None where the dialect does not say."""


def poll_of(
    dialect: Dialect,
    operation: str,
    *,
    host: str,
    port: int,
    tls: bool,
    symbol: str,
    is_kept: bool,
    headers: Mapping[str, str] = NOTHING,
    values: Mapping[str, Any] = NOTHING,
) -> Poll:
    """Return the poll of one operation for one symbol; *is_kept* says what becomes of the connection.

    Each of *headers* is sent in place of what would be sent by itself under its name.

    Raises KeyError for an operation or an HTTP section that the dialect does not have, and for a name in
    it that none of *values* has.
    """
    method, url, body = rest_request(
        dialect, operation, host=host, port=port, tls=tls, symbol=symbol, values=values
    )
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = {
        "host": f"Host: {parts.netloc}",
        "user-agent": "User-Agent: capacity",
        "accept": "Accept: */*",
        "accept-encoding": "Accept-Encoding: gzip, deflate",
        "content-type": "Content-Type: application/json" if body is not None else "",
    }
    named.update((name.lower(), f"{name}: {value}") for name, value in headers.items())
    lines = [f"{method} {path} HTTP/1.1", *(line for line in named.values() if line)]
    if not is_kept:
        # The target closes first, so that the port does not wait at the generator (TIME_WAIT).
        lines.append("Connection: close")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    elif method == "POST":
        lines.append("Content-Length: 0")
    time = dialect.rest[operation].time
    return Poll(
        name=operation,
        method=method,
        url=url,
        head="".join(f"{line}\r\n" for line in lines).encode(),
        body=body or b"",
        clock=clock_by(time) if time else None,
    )


def written_at(clock: Clock, body: bytes, encoding: str, most_bytes: int) -> float | None:
    """Return when *body* says it was written, as epoch seconds of the target; None if it does not.

    A compressed body is inflated, unless it would have more than *most_bytes*.
    """
    try:
        if encoding in {"gzip", "x-gzip", "deflate"}:
            inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
            body = inflater.decompress(body, most_bytes)
            if not inflater.eof:
                return None
        answer = orjson.loads(body)
    except (orjson.JSONDecodeError, zlib.error):
        return None
    return clock(answer, answer)
