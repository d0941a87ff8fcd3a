"""Which routers of Traefik's files let only so many clients in.

inFlightReq counts requests, of which a WebSocket is one as long as it lives, by host unless it says
otherwise; each router counts for itself. inFlightConn of TCP routers counts by address.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.documents.node import Node
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.settings import Setting

_MOST_CHAINED = 16
_KEYS = {"ipStrategy": "address", "requestHeaderName": "value of a header"}


class EntryPoint(NamedTuple):
    name: str
    ports: tuple[int, ...]
    middlewares: tuple[str, ...]
    """That each of its routers has."""


def caps_of(documents: Sequence[Node], points: Sequence[EntryPoint]) -> Iterator[AuditEntry]:
    """Yield what each router caps, on the ports of its entry points."""
    for protocol in ("http", "tcp"):
        known = {
            name.lower(): node
            for each in documents
            for name, node in each.at(protocol, "middlewares").members.items()
        }
        for each in documents:
            for name, router in each.at(protocol, "routers").members.items():
                used = _used(router, points)
                own = [node.text or "" for node in router.at("middlewares").elements]
                shared = [word for point in used for word in point.middlewares]
                ports = [port for point in used for port in point.ports]
                if not router.at("entryPoints").elements:
                    ports = []
                for middleware in _chained([*shared, *own], known, 0):
                    yield from _caps(name, middleware, ports)


def _used(router: Node, points: Sequence[EntryPoint]) -> list[EntryPoint]:
    """Return the entry points of a router: all of them where it names none."""
    named = {(node.text or "").lower() for node in router.at("entryPoints").elements}
    return [point for point in points if not named or point.name.lower() in named]


def _chained(names: Iterable[str], known: dict[str, Node], depth: int) -> Iterator[Node]:
    for name in names:
        node = known.get(name.removesuffix("@file").lower())
        if node is None or depth > _MOST_CHAINED:
            continue
        yield node
        chain = node.at("chain", "middlewares").elements
        yield from _chained((each.text or "" for each in chain), known, depth + 1)


def _caps(router: str, middleware: Node, ports: list[int]) -> Iterator[AuditEntry]:
    requests = middleware.at("inFlightReq")
    amount = _amount(requests)
    if amount is not None:
        criterion = requests.at("sourceCriterion")
        key = next((word for name, word in _KEYS.items() if criterion.at(name).value), None)
        if key is None:
            yield cap(f"inFlightReq of router {router}", amount.number(), amount.source, ports)
        else:
            yield _for_each(f"inFlightReq of router {router} for each {key}", amount)
    amount = _amount(middleware.at("inFlightConn"))
    if amount is not None:
        yield _for_each(f"inFlightConn of router {router} for each address", amount)


def _amount(middleware: Node) -> Setting | None:
    return middleware.at("amount").setting("amount")


def _for_each(name: str, amount: Setting) -> AuditEntry:
    return told(name, amount.number(), amount.source, scales_with=Scaling.CONNECTIONS)
