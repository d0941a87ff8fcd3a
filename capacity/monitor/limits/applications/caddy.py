"""Caddy: how many clients its reverse proxies pass on at once; by itself it lets everybody in.

Caddy's documentation, version 2. unhealthy_request_count, max_requests in JSON, is of each upstream, and a
WebSocket is a request as long as it lives; without any upstream below it Caddy answers with 503.
max_conns_per_host is not of WebSockets: a connection that was upgraded no longer counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.caddyfile import sites
from capacity.monitor.limits.applications.directives import Directive
from capacity.monitor.limits.applications.documents.node import Node
from capacity.monitor.limits.applications.documents.reading import document
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"caddy"})
_USUAL = ("/etc/caddy/Caddyfile", "/etc/caddy/caddy.json")
_NAME = "clients of a reverse proxy"
_REQUESTS, _CONNECTIONS = "unhealthy_request_count", "max_conns_per_host"
_NOT_CAPPED = "of plain requests: WebSockets are let in beyond"


class _Proxy(NamedTuple):
    ports: list[int]
    upstreams: int
    """0 where they are found out as it runs."""
    requests: Setting | None
    connections: Setting | None


def entries(process: Process) -> Iterator[AuditEntry]:
    if "--resume" in process.words:
        why = "it goes on with what was loaded last, which is not read"
        raise UnclearError(why, process.command_line)
    path, is_json = _path(process)
    found = list(_of_json(document(process, path)) if is_json else _of_file(process, path))
    capped = False
    for proxy in found:
        if proxy.requests is not None and proxy.requests.number():
            capped = True
            yield _capped(proxy, proxy.requests)
        if proxy.connections is not None and proxy.connections.number():
            setting = proxy.connections
            source = f"{setting.source} ({_NOT_CAPPED})"
            yield told(_CONNECTIONS, setting.number(), source, scales_with=Scaling.CONNECTIONS)
    if not capped:
        yield uncapped(_NAME, f"{path}: no reverse_proxy has {_REQUESTS}")


def _capped(proxy: _Proxy, requests: Setting) -> AuditEntry:
    if not proxy.upstreams:
        raise UnclearError("the upstreams that share it are found out as it runs", requests.where)
    times = f", for each of {proxy.upstreams} upstreams" if proxy.upstreams > 1 else ""
    total = requests.number() * proxy.upstreams
    return cap(_NAME, total, f"{requests.source}{times}", proxy.ports)


def _path(process: Process) -> tuple[str, bool]:
    option = process.option("--config", "-c")
    adapter = process.option("--adapter", "-a")
    if option is not None:
        path = process.files.absolute(option.text)
    else:
        here = process.files.absolute("Caddyfile")
        path = process.first_existing((here, *_USUAL))
    is_json = adapter is None and not path.rpartition("/")[2].lower().startswith("caddyfile")
    return path, is_json and not path.endswith(".caddyfile")


def _of_json(root: Node) -> Iterator[_Proxy]:
    for server in root.at("apps", "http", "servers").members.values():
        listens = [node.text or "" for node in server.at("listen").elements]
        tails = [text.partition("/")[0].rpartition(":")[2] for text in listens]
        ports = [int(text) for text in tails if text.isascii() and text.isdigit()]
        for handlers in server.found("handle"):
            for handler in handlers.elements:
                if handler.at("handler").text == "reverse_proxy":
                    yield _handler(handler, ports)


def _handler(handler: Node, ports: list[int]) -> _Proxy:
    upstreams = handler.at("upstreams").elements
    most = next((node for each in upstreams for node in each.found("max_requests")), None)
    passive = handler.at("health_checks", "passive", _REQUESTS)
    return _Proxy(
        ports,
        0 if handler.at("dynamic_upstreams").value is not None else len(upstreams),
        passive.setting(_REQUESTS) or (most.setting("max_requests") if most else None),
        handler.at("transport", _CONNECTIONS).setting(_CONNECTIONS),
    )


def _of_file(process: Process, path: str) -> Iterator[_Proxy]:
    for ports, site in sites(process, path):
        for proxy in site.all("reverse_proxy"):
            given = [word for word in proxy.words if not word.startswith(("/", "@", "*"))]
            given += [word for each in proxy.all("to") for word in each.words]
            is_dynamic = next(proxy.all("dynamic"), None) is not None
            yield _Proxy(
                ports,
                0 if is_dynamic else len(given),
                _of(proxy, _REQUESTS),
                _of(proxy, _CONNECTIONS),
            )


def _of(proxy: Directive, name: str) -> Setting | None:
    found = next(proxy.all(name), None)
    return None if found is None else Setting(name, " ".join(found.words), found.where)
