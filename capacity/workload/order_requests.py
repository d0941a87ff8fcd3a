"""Orders of a dialect as bytes to send, and what their answers say; no socket, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import orjson

from capacity.workload.dialects.address import origin_of
from capacity.workload.dialects.answers import CompiledAck, compiled_ack
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.matching import MISSING, Getter, getter
from capacity.workload.dialects.order_entry import OrderEntry, OrderRequest
from capacity.workload.dialects.template import fill, names
from capacity.workload.dialects.values import BUILT_IN, FrameValues
from capacity.workload.order_cycle import Outcome

KNOWN = ("id", "symbol", *BUILT_IN)
"""What templates of orders may hold without anybody giving it."""


class Told(NamedTuple):
    """What an answer says."""

    outcome: Outcome
    reason: str | None = None
    """Why it is no confirmation."""
    kept: Mapping[str, Any] = {}


class HttpRequest(NamedTuple):
    method: str
    head: bytes
    """Request line and headers, the empty line excluded."""
    body: bytes


def wanted(entry: OrderEntry) -> list[str]:
    """Return the names that the target file must give in orders.values, each once."""
    kept = {name for _operation, request in entry.requests() for name in request.keep}
    held = dict.fromkeys(
        name
        for _operation, request in entry.requests()
        for part in (request.send, request.path, request.query)
        for name in names(part)
    )
    held.update(dict.fromkeys(names(entry.headers)))
    return [name for name in held if name not in kept and name not in KNOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequests:
    """The order entry of one target, ready to be filled in."""

    entry: OrderEntry
    base: str
    """Address before every path over REST."""
    answer: CompiledAck
    keep: Mapping[str, Mapping[str, Getter]]
    """Operation -> name -> what reads the value from its answer."""
    signatures: Mapping[str, Any]

    def request(self, operation: str) -> OrderRequest:
        request: OrderRequest | None = getattr(self.entry, operation)
        assert request is not None
        return request

    def frame(self, operation: str, values: Mapping[str, Any]) -> bytes:
        """Return the frame of *operation*. Raises KeyError for a value that there is not."""
        filled = FrameValues(values, signatures=self.signatures)
        return orjson.dumps(fill(self.request(operation).send, filled))

    def over_http(
        self, operation: str, values: Mapping[str, Any], headers: Mapping[str, str]
    ) -> HttpRequest:
        """Return the request of *operation*; *headers* are sent in place of those of their names.

        Raises KeyError for a value that there is not.
        """
        request, filled = self.request(operation), FrameValues(values, signatures=self.signatures)
        parts = urlsplit(self.base)
        quoted = {name: quote(str(filled[name]), safe="") for name in names(request.path)}
        path = f"{parts.path}{fill(request.path, quoted)}"
        query = urlencode(fill(request.query, filled))
        body = b""
        if request.method != "GET" and request.send is not None:
            body = orjson.dumps(fill(request.send, filled))
        lines = {
            "host": f"Host: {parts.netloc}",
            "user-agent": "User-Agent: capacity",
            "accept": "Accept: */*",
            "content-type": "Content-Type: application/json" if body else "",
        }
        own = {} if operation == "login" else fill(self.entry.headers, filled)
        lines.update((name.lower(), f"{name}: {text}") for name, text in {**headers, **own}.items())
        if request.method != "GET":
            lines["content-length"] = f"Content-Length: {len(body)}"
        first = f"{request.method} {path}{'?' if query else ''}{query} HTTP/1.1"
        head = "".join(f"{line}\r\n" for line in (first, *lines.values()) if line)
        return HttpRequest(request.method, head.encode("latin-1"), body)

    def read(self, operation: str, frame: Any) -> Told:
        """Return what the answer *frame* says of *operation*."""
        refusal = self.answer.refusal(frame)
        if refusal is not None:
            return Told(Outcome.REFUSED, refusal)
        kept = {name: value_of(frame) for name, value_of in self.keep[operation].items()}
        lacking = [name for name, value in kept.items() if value is MISSING]
        if lacking:
            return Told(Outcome.UNKNOWN, f"the answer has no {lacking[0]}")
        return Told(Outcome.ANSWERED, kept=kept)

    def read_text(self, operation: str, status: int, body: bytes) -> Told:
        """Return what an answer over HTTP says: a 5xx does not tell what was done (RFC 9110, 15.6)."""
        if status >= 500:
            return Told(Outcome.UNKNOWN, f"status {status}")
        try:
            told = self.read(operation, orjson.loads(body))
        except orjson.JSONDecodeError:
            told = Told(Outcome.UNKNOWN, "an answer that is no JSON")
        if status >= 400 and told.outcome is not Outcome.REFUSED:
            return Told(Outcome.REFUSED, f"status {status}")
        return told


def order_requests_of(dialect: Dialect, *, host: str, port: int, tls: bool) -> OrderRequests:
    """Return the order entry of *dialect*, which must have one, for the target there."""
    entry = dialect.orders
    assert entry is not None
    base = "" if dialect.http is None else dialect.http.base
    return OrderRequests(
        entry=entry,
        base=str(fill(base, origin_of("http", host, port, tls=tls))),
        answer=compiled_ack(entry.answer),
        keep={
            operation: {name: getter(path) for name, path in request.keep.items()}
            for operation, request in entry.requests()
        },
        signatures=dialect.signatures,
    )
