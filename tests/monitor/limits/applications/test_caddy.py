"""Caddy by its Caddyfile and its JSON, and a real one that is filled until it refuses."""

import json

import pytest

PATH = "/etc/caddy/Caddyfile"
WORDS = ("/usr/bin/caddy", "run", "--config", PATH)
FILE = """\
{{
\tadmin off
\tauto_https off
}}
http://:{port} {{
\tbind 127.0.0.1
\treverse_proxy 127.0.0.1:{upstream} {{
\t\t{setting}
\t}}
}}
"""


def test_requests_of_each_upstream_cap_the_port(made):
    made.write(PATH, FILE.format(port=8080, upstream="1 b:2", setting="unhealthy_request_count 9"))
    (cap,) = made.entries(*WORDS)

    assert (cap.value, cap.ports) == (18, (8080,))
    assert cap.source == f"{PATH}:8: unhealthy_request_count 9, for each of 2 upstreams"


def test_connections_of_a_host_are_told_as_websockets_do_not_count(made):
    setting = "transport http {\n\t\t\tmax_conns_per_host 9\n\t\t}"
    made.write(PATH, FILE.format(port=8080, upstream=1, setting=setting))
    told, uncapped = made.entries(*WORDS)

    assert (told.value, told.resource) == (9, None)
    assert uncapped.state.value == "unlimited"


@pytest.mark.parametrize(
    "setting", ["unhealthy_request_count {$MOST}", "unhealthy_request_count 9\n dynamic a b"]
)
def test_what_cannot_be_told_is_unknown_with_its_line(made, setting):
    made.write(PATH, FILE.format(port=8080, upstream=1, setting=setting))

    assert made.unknown(*WORDS).source == f"{PATH}:8"


def test_a_caddy_that_goes_on_with_what_it_had_is_unknown(made):
    assert "loaded last" in made.unknown("caddy", "run", "--resume").reason


def test_without_a_word_it_takes_the_file_where_it_works(made):
    assert "none of the usual places" in made.unknown("caddy", "run").reason

    made.write("/srv/Caddyfile", ":80 {\n}\n")

    assert [entry.source[:14] for entry in made.entries("caddy", "run")] == ["/srv/Caddyfile"]


@pytest.mark.parametrize("is_passive", [True, False])
def test_json_says_it_in_two_ways(made, is_passive):
    upstreams = [{"dial": "a:1"}, {"dial": "b:2"}]
    handler = {"handler": "reverse_proxy", "upstreams": upstreams}
    if is_passive:
        handler["health_checks"] = {"passive": {"unhealthy_request_count": 9}}
    else:
        upstreams[0]["max_requests"] = 9
    routes = [{"handle": [{"handler": "subroute", "routes": [{"handle": [handler]}]}]}]
    servers = {"a": {"listen": [":8080", "127.0.0.1:8081/x"], "routes": routes}}
    made.write("/etc/caddy.json", json.dumps({"apps": {"http": {"servers": servers}}}))

    assert made.caps("caddy", "run", "-c", "/etc/caddy.json") == [(18, (8080, 8081))]


@pytest.mark.parametrize(
    ("setting", "held"),
    [
        ("unhealthy_request_count 9\n max_fails 3", 9),
        ("transport http {\n max_conns_per_host 5\n }", None),
    ],
)
def test_a_real_one_serves_what_was_read(
    start_server, free_port, backend, fill, tmp_path, setting, held
):
    port, path = free_port(), tmp_path / "Caddyfile"
    path.write_text(FILE.format(port=port, upstream=backend, setting=setting))
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin"}
    caddy = start_server("caddy", "run", "--config", path, port=port, env=environ)

    assert caddy.cap().value == held
    assert fill(port, most=24) == (held or 24)
