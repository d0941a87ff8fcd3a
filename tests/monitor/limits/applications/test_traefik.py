"""Traefik by its files, words and variables, and a real one that is filled until it refuses."""

import contextlib
import http.client

import pytest

WORDS = ("/usr/bin/traefik", "--configFile=/etc/own.yaml")
STATIC = """\
entryPoints:
  web:
    address: "127.0.0.1:{port}"
  mail:
    address: :25/tcp
providers:
  file:
    filename: {file}
"""
DYNAMIC = """\
http:
  routers:
    all:
      entryPoints: [web]
      rule: PathPrefix(`/`)
      middlewares: [few]
      service: venue
  middlewares:
    few:
      inFlightReq:
        amount: 12
{more}
  services:
    venue:
      loadBalancer:
        servers:
        - url: http://127.0.0.1:{upstream}
"""
BY_ADDRESS = "        sourceCriterion: {ipStrategy: {depth: 0, ipv6Subnet: 64}}"
TOML = """\
[http.routers.all]
entryPoints = ["web"]
rule = "PathPrefix(`/`)"
middlewares = ["some"]
service = "venue"
[http.middlewares.some.chain]
middlewares = ["few@file"]
[http.middlewares.few.inFlightReq]
amount = 12
[[http.services.venue.loadBalancer.servers]]
url = "http://127.0.0.1:{upstream}"
"""


@pytest.fixture
def written(made):
    made.write("/etc/own.yaml", STATIC.format(port=8080, file="/etc/dynamic.yaml"))

    def write(dynamic):
        made.write("/etc/dynamic.yaml", dynamic)
        return made

    return write


def dynamic(more=""):
    return DYNAMIC.format(more=more, upstream=9000)


def test_a_router_caps_the_ports_of_its_entry_points(written):
    (cap,) = written(dynamic()).entries(*WORDS)

    assert (cap.value, cap.ports) == (12, (8080,))
    assert cap.source == "/etc/dynamic.yaml:11: amount 12"


def test_a_router_without_entry_points_caps_all_ports(written):
    text = dynamic().replace("      entryPoints: [web]\n", "")

    assert written(text).caps(*WORDS) == [(12, ())]


def test_several_providers_whose_limits_are_not_read_are_said_once(made):
    words = (
        "traefik",
        "--providers.docker=true",
        "--providers.consul.endpoints=a",
        "--providers.ecs",
    )

    (told,) = made.entries(*words)
    assert told.state.value == "unknown"


def test_what_counts_by_address_is_told(written):
    (told, uncapped) = written(dynamic(BY_ADDRESS)).entries(*WORDS)

    assert (told.value, told.resource) == (12, None)
    assert told.name == "inFlightReq of router all for each address"
    assert uncapped.state.value == "unlimited"


def test_by_host_is_the_default_and_a_cap(written):
    more = "        sourceCriterion: {requestHost: true}"

    assert written(dynamic(more)).caps(*WORDS) == [(12, (8080,))]


def test_connections_of_tcp_are_told_by_address(written):
    text = (
        "tcp:\n routers: {a: {middlewares: [m]}}\n middlewares: {m: {inFlightConn: {amount: 5}}}\n"
    )
    told = written(text).entries(*WORDS)[0]

    assert (told.name, told.value) == ("inFlightConn of router a for each address", 5)


def test_toml_and_chains_are_read_too(made):
    made.write(
        "/etc/traefik/traefik.toml",
        '[entryPoints.web]\naddress = ":8080"\n[providers.file]\ndirectory = "/etc/dynamic"\n',
    )
    made.write("/etc/dynamic/deep/a.toml", TOML.format(upstream=9000))
    (cap,) = made.entries("traefik")

    assert (cap.value, cap.ports) == (12, (8080,))
    assert cap.source == "/etc/dynamic/deep/a.toml:9: amount 12"


@pytest.mark.parametrize(
    ("path", "variable"),
    [
        ("/etc/traefik/traefik.yml", None),
        ("/home/own/traefik.yaml", ("XDG_CONFIG_HOME", "/home/own")),
        ("/home/.config/traefik.yaml", ("HOME", "/home")),
        ("/srv/traefik.yaml", None),
    ],
)
def test_a_file_of_its_own_choice_beats_the_command_line(made, path, variable):
    made.write("/etc/dynamic.yaml", dynamic())
    made.write(path, STATIC.format(port=8080, file="/etc/dynamic.yaml"))
    made.environ |= dict([variable]) if variable else {}

    assert made.caps("traefik", "--entrypoints.web.address=:99") == [(12, (8080,))]


def test_what_an_entry_point_has_each_of_its_routers_has(made):
    made.write("/dynamic.yaml", dynamic().replace("      middlewares: [few]\n", ""))
    words = (
        *("traefik", "--entryPoints.Web.address=:8080/tcp"),
        *("--entrypoints.web.http.middlewares=few@file", "--providers.file.filename=/dynamic.yaml"),
    )

    assert made.caps(*words) == [(12, (8080,))]
    assert made.caps(*words[:2], words[3]) == []


def test_the_environment_is_last_and_keeps_secrets(made):
    made.environ |= {
        "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS": ":8080",
        "TRAEFIK_PROVIDERS_FILE_FILENAME": "/dynamic.yaml",
        "TRAEFIK_PROVIDERS_CONSUL_ENDPOINTS_TOKEN": "secret",
    }
    made.write("/dynamic.yaml", dynamic())

    assert made.caps("traefik") == [(12, (8080,))]
    assert "provider other than files" in made.unknown("traefik").reason
    assert "secret" not in f"{made.entries('traefik')}"
    assert made.caps("traefik", "--entrypoints.web.address=:8080") == []


@pytest.mark.parametrize(
    ("word", "is_unknown"), [("--providers.docker=false", False), ("--providers.docker", True)]
)
def test_another_provider_may_have_more(made, word, is_unknown):
    states = [entry.state.value for entry in made.entries("traefik", word)]

    assert states == ["unknown" if is_unknown else "unlimited"]


def test_a_template_is_unknown_with_its_line(written):
    made = written(dynamic().replace("amount: 12", 'amount: {{ env "MOST" }}'))

    assert made.unknown(*WORDS).source == "/etc/dynamic.yaml:11"


def test_middlewares_that_name_one_another_end(written):
    text = (
        "http:\n routers: {a: {middlewares: [m]}}\n middlewares: {m: {chain: {middlewares: [m]}}}\n"
    )

    assert written(text).caps(*WORDS) == []


def is_routed(port):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as client:
        client.request("GET", "/")
        return client.getresponse().status != 404


@pytest.mark.parametrize("kind", ["yaml", "toml"])
def test_a_real_one_serves_what_was_read(
    start_server, free_port, backend, fill, wait_until, tmp_path, kind
):
    port, file = free_port(), tmp_path / f"dynamic.{kind}"
    text = {"yaml": DYNAMIC, "toml": TOML}[kind]
    file.write_text(text.replace("{more}", "").replace("{upstream}", str(backend)))
    static = tmp_path / "static.yaml"
    static.write_text(
        STATIC.format(port=port, file=file).replace("  mail:\n    address: :25/tcp\n", "")
    )
    traefik = start_server("traefik", f"--configFile={static}", port=port)

    wait_until(lambda: is_routed(port))

    assert traefik.cap().value == 12
    assert fill(port) == 12


def test_a_real_one_without_any_admits_more(
    start_server, free_port, backend, fill, wait_until, tmp_path
):
    port, file = free_port(), tmp_path / "dynamic.yaml"
    file.write_text(
        DYNAMIC.format(more="", upstream=backend).replace("      middlewares: [few]\n", "")
    )
    traefik = start_server(
        *("traefik", f"--entryPoints.web.address=127.0.0.1:{port}"),
        f"--providers.file.filename={file}",
        port=port,
    )

    wait_until(lambda: is_routed(port))

    assert traefik.cap().state.value == "unlimited"
    assert fill(port, most=24) == 24
