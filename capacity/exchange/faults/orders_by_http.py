"""`POST /faults`: something is to go wrong, says somebody on this host."""

from ipaddress import ip_address

import orjson
from aiohttp import web

from capacity.domain.errors import ConfigError
from capacity.exchange.faults.injector import Injector
from capacity.exchange.faults.ordered_faults import one_fault

PATH = "/faults"


def fault_route(injector: Injector) -> web.RouteDef:
    """Return the route; it takes one fault as JSON, from loopback alone."""

    async def order(request: web.Request) -> web.Response:
        if not is_from_here(request.remote):
            return _answer(403, error="faults are taken from this host's loopback alone")
        try:
            fault = one_fault(await request.read())
        except ConfigError as wrong:
            return _answer(400, error=str(wrong))
        return _answer(200, kind=fault.kind, connections=injector.order(fault))

    return web.post(PATH, order)


def is_from_here(address: str | None) -> bool:
    """Tell whether a peer's address is of loopback."""
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False


def _answer(status: int, **content: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(content), content_type="application/json")
