"""Envoy: what its clusters, its connection-limit filter, its runtime and its overload manager admit.

Envoy's API, version 3, as YAML or JSON, in a file, on the command line or both. A client that is passed
on takes a connection and a request of its cluster, of which there are 1024 each where none are set; over
HTTP/2 only a request, over tcp_proxy only a connection. What other files or the network bring (xDS)
is unknown.
"""

from collections.abc import Iterator
from typing import NamedTuple

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.documents.node import Node
from capacity.monitor.limits.applications.documents.plain_yaml import parse
from capacity.monitor.limits.applications.documents.reading import document
from capacity.monitor.limits.applications.entries import cap, told, unclear
from capacity.monitor.limits.applications.envoy_routes import Routes, ports_of, routes_of
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"envoy"})
_DEFAULT = 1024
_FILTER = "connection_limit"
_GLOBAL = "overload.global_downstream_max_connections"
_LISTENER = "envoy.resource_limits.listener.{}.connection_limit"
_MONITOR = "max_active_downstream_connections"


class _Cluster(NamedTuple):
    connections: Setting
    requests: Setting
    is_multiplexed: bool
    """Many requests share a connection."""

    def most(self, *, is_http: bool) -> Setting:
        if not is_http:
            return self.connections
        if self.is_multiplexed:
            return self.requests
        return min(self.connections, self.requests, key=lambda setting: setting.number())


def entries(process: Process) -> Iterator[AuditEntry]:
    documents = list(_documents(process))
    clusters: dict[str, _Cluster] = {}
    for node in _static(documents, "clusters"):
        name = node.at("name").text or "without a name"
        clusters[name] = _cluster(node)
        yield _told("max_connections", name, clusters[name].connections)
        yield _told("max_requests", name, clusters[name].requests)
    limits = _runtime(documents)
    listeners = list(_static(documents, "listeners"))
    for listener in listeners:
        yield from _listener(listener, clusters, limits)
    yield from _of_all(documents, listeners, limits)
    for each in documents:
        for key in ("lds_config", "cds_config", "ads_config"):
            found = each.at("dynamic_resources", key)
            if found.value is not None:
                why = f"{key}: what comes over the network or from another file is not read"
                yield unclear("connections of Envoy", UnclearError(why, found.where), found.where)


def _documents(process: Process) -> Iterator[Node]:
    path = process.option("-c", "--config-path")
    inline = process.option("--config-yaml")
    if path is None and inline is None:
        raise UnclearError("its configuration comes over the network", process.command_line)
    if path is not None:
        yield document(process, process.files.absolute(path.text))
    if inline is not None:
        yield parse(inline.text, f"{process.command_line}, --config-yaml")


def _static(documents: list[Node], kind: str) -> Iterator[Node]:
    for each in documents:
        yield from each.at("static_resources", kind).elements


def _cluster(node: Node) -> _Cluster:
    """Read the first thresholds of the usual priority; others of it do not count."""
    thresholds = (
        each
        for each in node.at("circuit_breakers", "thresholds").elements
        if each.at("priority").text in {None, "DEFAULT", "0"}
    )
    given = next(thresholds, Node(None, node.path, node.line, node.note))
    default = Setting("", str(_DEFAULT), f"{node.where} (the default, as none is set)")
    return _Cluster(
        connections=given.at("max_connections").setting("max_connections")
        or default._replace(name="max_connections"),
        requests=given.at("max_requests").setting("max_requests")
        or default._replace(name="max_requests"),
        is_multiplexed=any(True for _ in node.found("http2_protocol_options")),
    )


def _told(key: str, cluster: str, setting: Setting) -> AuditEntry:
    try:
        return told(f"{key} of cluster {cluster}", setting.number(), setting.source)
    except UnclearError as error:
        return unclear(f"{key} of cluster {cluster}", error, setting.where, resource=None)


def _listener(
    listener: Node, clusters: dict[str, _Cluster], limits: dict[str, Setting]
) -> Iterator[AuditEntry]:
    name, ports = listener.at("name").text or "", ports_of(listener)
    for config in listener.found("typed_config"):
        if _FILTER in (config.at("@type").text or ""):
            setting = config.at("max_connections").setting("max_connections of the filter")
            if setting is not None:
                yield cap(setting.name, setting.number(), setting.source, ports)
    own = limits.get(_LISTENER.format(name))
    if own is not None:
        yield cap(f"connection_limit of listener {name}", own.number(), own.source, ports)
    routes = routes_of(listener)
    if routes.clusters or routes.elsewhere:
        yield _behind(routes, clusters, ports)


def _behind(routes: Routes, clusters: dict[str, _Cluster], ports: list[int]) -> AuditEntry:
    """Return what the clusters admit that a listener passes its clients on to."""
    name = "clients of the clusters behind a listener"
    unseen = next((each for key, each in routes.clusters.items() if key not in clusters), None)
    node = routes.elsewhere or unseen
    if node is not None:
        why = "which cluster it passes clients on to is not in this file"
        return unclear(name, UnclearError(why, node.where), node.where)
    caps = [clusters[key].most(is_http=routes.is_http) for key in sorted(routes.clusters)]
    several = ", together; one route may give out before" if len(caps) > 1 else ""
    places = ", ".join(setting.source for setting in caps)
    return cap(name, sum(setting.number() for setting in caps), f"{places}{several}", ports)


def _of_all(
    documents: list[Node], listeners: list[Node], limits: dict[str, Setting]
) -> Iterator[AuditEntry]:
    """Yield what holds for all listeners but those that ignore it."""
    ignoring = [each for each in listeners if each.at("ignore_global_conn_limit").text == "true"]
    others = [each for each in listeners if each not in ignoring]
    ports = [port for each in others for port in ports_of(each)] if ignoring else []
    if ignoring and not ports:
        return
    found = [limits[_GLOBAL]] if _GLOBAL in limits else []
    for each in documents:
        manager = each.at("overload_manager")
        nodes = manager.found(_MONITOR)
        found += [s for node in nodes if (s := node.setting(_MONITOR)) is not None]
        for node in manager.found("max_heap_size_bytes"):
            heap = node.setting("max_heap_size_bytes")
            if heap is not None:
                yield told("max_heap_size_bytes", heap.number(), heap.source, unit="bytes")
    for setting in found:
        yield cap(setting.name, setting.number(), setting.source, ports)


def _runtime(documents: list[Node]) -> dict[str, Setting]:
    """Return the values of the static layers by their names in dots; a later layer counts more."""
    found: dict[str, Setting] = {}
    for each in documents:
        for layer in each.at("layered_runtime", "layers").elements:
            found |= _flat("", layer.at("static_layer"))
    return found


def _flat(name: str, node: Node) -> dict[str, Setting]:
    if not node.members:
        return {name: Setting(name, node.text or "", node.where)} if name else {}
    found: dict[str, Setting] = {}
    for key, child in node.members.items():
        found |= _flat(f"{name}.{key}" if name else key, child)
    return found
