"""Ports and next hops of a listener of Envoy."""

import pytest

from capacity.monitor.limits.applications.documents.plain_yaml import parse
from capacity.monitor.limits.applications.envoy_routes import ports_of, routes_of

TWO = """\
address: {socket_address: {port_value: 80}}
additional_addresses: [{address: {socket_address: {port_value: '81'}}}]
"""


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("address: {socket_address: {port_value: 80}}", [80]),
        ("address: {socket_address: {port_value: 65535}}", [65535]),
        ("address: {socket_address: {port_value: 100000}}", []),
        ("address: {socket_address: {protocol: UDP, port_value: 80}}", []),
        ("address: {socket_address: {named_port: http}}", []),
        ("address: {pipe: {path: /a}}", []),
        (TWO, [80, 81]),
    ],
)
def test_the_ports_of_a_listener(text, ports):
    assert ports_of(parse(text, "/a")) == ports


def test_routes_and_weights_name_clusters_and_mirrors_do_not():
    text = """\
typed_config:
  route_config:
    virtual_hosts:
    - routes:
      - route: {cluster: a, request_mirror_policies: [{cluster: m}]}
      - route: {weighted_clusters: {clusters: [{name: b}, {name: c}]}}
      - redirect: {path_redirect: /}
"""
    found = routes_of(parse(text, "/a"))

    assert sorted(found.clusters) == ["a", "b", "c"]
    assert found.is_http
    assert found.elsewhere is None


def test_tcp_names_its_cluster_itself():
    text = 'typed_config: {"@type": type.googleapis.com/x.tcp_proxy.v3.TcpProxy, cluster: a}'
    found = routes_of(parse(text, "/a"))

    assert list(found.clusters) == ["a"]
    assert not found.is_http
