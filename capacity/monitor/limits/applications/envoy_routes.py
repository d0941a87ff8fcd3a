"""Where a listener of Envoy listens, and which clusters it passes its clients on to."""

from collections.abc import Iterator
from typing import NamedTuple

from capacity.monitor.limits.applications.documents.node import Node

_TCP_PROXY = "tcp_proxy"


class Routes(NamedTuple):
    clusters: dict[str, Node]
    """Where each of them is named."""
    elsewhere: Node | None
    """What says that routes are in another place, or chosen by a header."""
    is_http: bool


def ports_of(listener: Node) -> list[int]:
    """Return the TCP ports of a listener; none where it has a pipe or a name for one."""
    addresses = [
        listener.at("address"),
        *(each.at("address") for each in listener.at("additional_addresses").elements),
    ]
    sockets = [each.at("socket_address") for each in addresses]
    texts = [
        each.at("port_value").text or "" for each in sockets if each.at("protocol").text != "UDP"
    ]
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 6]


def routes_of(listener: Node) -> Routes:
    """Return what the filters of a listener name as the next hop."""
    clusters: dict[str, Node] = {}
    elsewhere: Node | None = None
    is_http = True
    for config in listener.found("typed_config"):
        is_tcp = _TCP_PROXY in (config.at("@type").text or "")
        is_http = is_http and not is_tcp
        hops = [config] if is_tcp else list(_http(config))
        if config.at("rds").value is not None:
            elsewhere = config.at("rds")
        for hop in hops:
            if hop.at("cluster_header").value is not None:
                elsewhere = hop.at("cluster_header")
            weighted = hop.at("weighted_clusters", "clusters").elements
            for node in [hop.at("cluster"), *(each.at("name") for each in weighted)]:
                if node.text is not None:
                    clusters[node.text] = node
    return Routes(clusters, elsewhere, is_http)


def _http(config: Node) -> Iterator[Node]:
    for host in config.at("route_config", "virtual_hosts").elements:
        for route in host.at("routes").elements:
            yield route.at("route")
