"""Envoy's bootstrap as JSON and YAML, and a real one that is filled until it refuses."""

import json

import pytest

WORDS = ("/usr/bin/envoy", "-c", "/etc/envoy.yaml")
LIMIT = "type.googleapis.com/envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"
YAML = """\
# what a front proxy has
static_resources:
  listeners:
  - name: prices
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
{limit}
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: prices
          upgrade_configs: [{{upgrade_type: websocket}}]
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: /}}
                route: {{cluster: venue, timeout: 0s}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: venue
    connect_timeout: 1s
{breakers}
    load_assignment:
      cluster_name: venue
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}
{more}
"""
FILTER = f"""\
      - name: limit
        typed_config: {{"@type": {LIMIT}, stat_prefix: x, max_connections: 12}}
"""
BREAKERS = "    circuit_breakers: {{thresholds: [{{max_connections: {}, max_requests: {}}}]}}\n"
MONITOR = """\
overload_manager:
  resource_monitors:
  - name: envoy.resource_monitors.global_downstream_max_connections
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
      max_active_downstream_connections: 12
"""
LISTENER = """\
layered_runtime:
  layers:
  - name: own
    static_layer: {envoy: {resource_limits: {listener: {prices: {connection_limit: 12}}}}}
"""


def yaml(port=8080, upstream=9000, limit="", breakers="", more=""):
    return YAML.format(port=port, upstream=upstream, limit=limit, breakers=breakers, more=more)


@pytest.mark.parametrize(
    ("parts", "caps"),
    [
        ({}, [(1024, (8080,))]),
        ({"limit": FILTER}, [(12, (8080,)), (1024, (8080,))]),
        ({"breakers": BREAKERS.format(15, 20)}, [(15, (8080,))]),
        ({"breakers": BREAKERS.format(15, 7)}, [(7, (8080,))]),
        ({"more": MONITOR}, [(1024, (8080,)), (12, ())]),
        ({"more": LISTENER}, [(12, (8080,)), (1024, (8080,))]),
        (
            {"breakers": "    http2_protocol_options: {}\n" + BREAKERS.format(15, 20)},
            [(20, (8080,))],
        ),
    ],
)
def test_each_limit_is_read_with_its_port(made, parts, caps):
    made.write(WORDS[2], yaml(**parts))

    assert made.caps(*WORDS) == caps


def test_a_limit_has_its_file_and_line(made):
    text = yaml(breakers=BREAKERS.format(15, 20))
    made.write(WORDS[2], text)
    line = 1 + text[: text.index("circuit_breakers")].count("\n")
    (cap,) = [entry for entry in made.entries(*WORDS) if entry.resource is not None]

    assert cap.source == f"/etc/envoy.yaml:{line}: max_connections 15"


def bootstrap(**parts):
    config = {"@type": LIMIT, "maxConnections": "50"}
    listener = {
        "address": {"socketAddress": {"address": "0.0.0.0", "portValue": 8080}},
        "filterChains": [{"filters": [{"typedConfig": config}]}],
    }
    return json.dumps({"staticResources": {"listeners": [listener], **parts}}, indent=1)


def test_json_and_its_other_spelling_are_read_too(made):
    made.write(WORDS[2], bootstrap())

    assert made.caps(*WORDS) == [(50, (8080,))]
    assert made.entries(*WORDS)[0].source == "/etc/envoy.yaml:17: max_connections of the filter 50"


def test_circuit_breakers_are_told_with_their_default(made):
    clusters = [
        {"name": "a"},
        {
            "name": "b",
            "circuit_breakers": {"thresholds": [{"priority": "HIGH", "max_connections": 1}]},
        },
        {
            "name": "c",
            "circuit_breakers": {"thresholds": [{"max_connections": 7}, {"max_connections": 9}]},
        },
    ]
    made.write(WORDS[2], bootstrap(clusters=clusters))
    told = [entry for entry in made.entries(*WORDS) if "max_connections of cluster" in entry.name]

    assert [(entry.name[-1], entry.value) for entry in told] == [("a", 1024), ("b", 1024), ("c", 7)]


def test_the_command_line_comes_on_top_of_the_file_and_is_not_shown(made):
    made.write(WORDS[2], yaml())
    words = (*WORDS, "--config-yaml", f"{MONITOR}admin: {{password: secret}}")

    assert made.caps(*words) == [(1024, (8080,)), (12, ())]
    assert made.caps("envoy", "--config-yaml", MONITOR) == [(12, ())]
    assert "secret" not in f"{made.entries(*words)}"


def test_listeners_that_ignore_it_are_left_out_of_what_caps_all(made):
    text = yaml().replace(
        "  - name: prices", "  - name: prices\n    ignore_global_conn_limit: true"
    )
    made.write(WORDS[2], text + MONITOR)

    assert made.caps(*WORDS) == [(1024, (8080,))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{cluster: venue, timeout: 0s}", "{cluster_header: x-venue}"),
        ("{cluster: venue, timeout: 0s}", "{cluster: another}"),
        (
            "          route_config:",
            "          rds: {route_config_name: x}\n          route_config:",
        ),
        ("# what a front proxy has", "dynamic_resources: {lds_config: {path: /a}}"),
    ],
)
def test_what_is_elsewhere_is_unknown_with_its_line(made, old, new):
    made.write(WORDS[2], yaml().replace(old, new))

    assert made.unknown(*WORDS).source.startswith("/etc/envoy.yaml:")


@pytest.mark.parametrize("text", ["a: &b 1\n", "[" * 100_000, "a: {{ most }}\n"])
def test_what_is_beyond_plain_yaml_is_unknown(made, text):
    made.write(WORDS[2], text)
    entry = made.unknown(*WORDS)

    assert entry.source == f"{WORDS[2]}:1"
    assert "declare the limit in the target file" in entry.reason


@pytest.mark.parametrize("text", ["", '"x"', "[]", "static_resources:\n"])
def test_a_file_that_says_nothing_has_no_limit(made, text):
    made.write(WORDS[2], text)

    assert made.entries(*WORDS) == []


def test_a_number_that_is_none_is_unknown(made):
    made.write(WORDS[2], "overload_manager: {max_active_downstream_connections: [5]}")

    assert made.unknown(*WORDS).source == f"{WORDS[2]}:1"


def test_a_configuration_that_comes_over_the_network_is_unknown(made):
    assert "over the network" in made.unknown("envoy", "--service-node", "secret").reason


@pytest.mark.parametrize(
    ("parts", "held"),
    [
        ({"limit": FILTER}, 12),
        ({"breakers": BREAKERS.format(15, 20)}, 15),
        ({"breakers": BREAKERS.format(20, 9)}, 9),
        ({"more": MONITOR}, 12),
        ({"more": LISTENER}, 12),
    ],
)
def test_a_real_one_serves_what_was_read(
    start_server, free_port, backend, fill, tmp_path, parts, held
):
    port, path = free_port(), tmp_path / "envoy.yaml"
    path.write_text(yaml(port, backend, **parts))
    words = ("envoy", "-c", path, "--concurrency", 1, "--use-dynamic-base-id")
    envoy = start_server(*words, port=port)

    assert envoy.cap().value == held
    assert fill(port) == held
