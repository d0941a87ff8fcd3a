"""Target files."""

import json
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec
from capacity.settings.target import Target, load_target, recorded

SHIPPED = Path(__file__).parents[2] / "config" / "targets"
GOOD = """\
target: 1
name: mine
host: 10.0.0.7
port: 443
tls: true
dialect: deribit
symbols: [BTC-PERPETUAL]
channels: [book, ticker]
agent: {url: "http://10.0.0.7:9101/", token_file: /etc/capacity/token}
limits:
  application_connections: {value: 4000, source: maxconn in haproxy.cfg}
rest: {operation: book}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("t.yaml").write_text(text)
        return Path("t.yaml")

    return write


def changed(**replaced):
    """Return GOOD with whole lines replaced by key; None removes one."""
    lines = [
        line
        for line in GOOD.splitlines()
        if not any(line.startswith(f"{key}:") for key in replaced)
    ]
    return "\n".join(lines + [f"{key}: {value}" for key, value in replaced.items() if value])


def refusal(path):
    with pytest.raises(ConfigError) as error:
        load_target(path)
    return str(error.value)


def test_a_target_says_where_it_is_and_what_of_it_is_loaded(file):
    target = load_target(file(GOOD))

    assert (target.host, target.port, target.tls) == ("10.0.0.7", 443, True)
    assert target.channels == ("book", "ticker")
    assert target.agent is not None
    assert target.agent.url == "http://10.0.0.7:9101"
    assert target.limits[Resource.APPLICATION_CONNECTIONS].value == 4000
    assert target.rest is not None
    assert target.rest.operation == "book"
    assert (target.rest.connections, target.rest.conditional) == ("keep_alive", False)


def test_a_run_says_of_its_target_what_its_record_says_later(file):
    slo = "{request_latency: {limit_s: 0.2}, delivery_delay: {quantile: 0.99, limit_s: 0.1}}"
    arrivals = "{value: 50, source: limit_req}"
    target = load_target(file(changed(slo=slo, arrival_limit=arrivals)))
    spec = target.spec()

    assert spec == TargetSpec.from_document(json.loads(json.dumps(spec.document)))
    assert [each.limit_s for each in spec.objectives] == [0.1, 0.2]
    assert spec.arrival_limit_per_s == 50.0
    assert [limit.value for limit in spec.limits] == [4000.0]
    assert (spec.name, spec.host, spec.port) == (target.name, target.host, target.port)


def test_a_target_survives_the_way_to_a_worker(file):
    target = load_target(file(GOOD))

    assert Target.model_validate(target.model_dump(mode="json")) == target


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_target_is_named_like_its_file(path):
    assert load_target(path).name == path.stem


@pytest.mark.parametrize("host", ["127.0.0.1", '"::1"', "exchange.example", "localhost"])
def test_any_host_is_allowed(file, host):
    assert load_target(file(changed(host=host))).host == host.strip('"')


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"port": "0"}, "12: port: must be greater than or equal to 1 (got 0)"),
        ({"port": None}, "1: port: is required"),
        ({"target": "2"}, "12: target: must be 1 (got 2)"),
        ({"tls": "on"}, '12: tls: must be true or false (got "on")'),
        (
            {"host": "http://a"},
            "12: host: must be a host name or an address and nothing else (got 'http://a')",
        ),
        (
            {"host": "a:80"},
            "12: host: must be a host name or an address and nothing else (got 'a:80')",
        ),
        (
            {"name": "../x"},
            (
                "12: name: must be 1 to 60 letters, digits, dots, dashes and underscores, the first "
                "no sign (got '../x'); it becomes part of file names"
            ),
        ),
        ({"channels": "[]"}, "12: channels: needs at least 1 item (got [])"),
        (
            {"channels": "[book, tikcer]"},
            (
                "12: channels[1]: dialect deribit has no channel tikcer, it has book, ticker, "
                "trades, quote"
            ),
        ),
        ({"channels": "[book, book]"}, "12: channels[1]: book is listed twice"),
        (
            {"symbols": "[]"},
            (
                "7: channels[0]: is made of {symbol}; list what that stands for in symbols\n"
                "t.yaml:7: channels[1]: is made of {symbol}; list what that stands for in symbols"
            ),
        ),
        (
            {"rest": "{operation: nothing}"},
            (
                "12: rest.operation: dialect deribit has no operation nothing, it has book, ticker, "
                "time"
            ),
        ),
        (
            {"rest": "{operation: book, connections: pooled}"},
            "12: rest.connections: must be 'keep_alive' or 'new' (got \"pooled\")",
        ),
        (
            {"agent": '{url: "ftp://a"}'},
            "12: agent.url: must be http://HOST:PORT or https://HOST:PORT",
        ),
        (
            {"agent": '{url: "http://me:secret@a:1"}'},
            "12: agent.url: must not carry credentials or parameters; use token_file",
        ),
        (
            {"agent": '{url: "http://a:1", token: secret}'},
            "12: agent.token: unknown key; did you mean token_file?",
        ),
    ],
)
def test_a_target_that_cannot_be_is_refused_with_its_line(file, changes, problem):
    assert refusal(file(changed(**changes))) == f"t.yaml:{problem}"


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ("cpu: {value: 0, source: s}", "limits.cpu.value: must be greater than 0 (got 0)"),
        ("cpu: {value: 2}", "limits.cpu.source: is required"),
        ("cpu: 2", "limits.cpu: must be a mapping (got 2)"),
    ],
)
def test_a_declared_limit_needs_a_value_and_who_says_so(file, limits, problem):
    text = GOOD.replace(
        "application_connections: {value: 4000, source: maxconn in haproxy.cfg}", limits
    )

    assert refusal(file(text)) == f"t.yaml:11: {problem}"


def test_a_rate_of_admission_is_positive_and_has_a_source(file):
    good = GOOD + "arrival_limit: {value: 50, source: limit_req in nginx.conf}\n"
    bad = GOOD + "arrival_limit: {value: 0, source: limit_req in nginx.conf}\n"

    assert load_target(file(good)).arrival_limit.value == 50
    assert "arrival_limit.value: must be greater than 0 (got 0)" in refusal(file(bad))


def test_a_limit_on_an_unknown_resource_lists_the_resources(file):
    text = GOOD.replace("application_connections", "connections")

    assert refusal(file(text)).startswith(
        "t.yaml:11: limits.connections: must be 'application_connections', 'descriptors',"
    )


def test_an_unknown_dialect_lists_those_there_are(file):
    said = refusal(file(changed(dialect="deribt")))

    assert said == (
        f"t.yaml:12: dialect: config/dialects has no 'deribt', nor has {SHIPPED.parent}/dialects, which "
        "is shipped; did you mean deribit? give one of "
        f"{', '.join(sorted(path.stem for path in (SHIPPED.parent / 'dialects').glob('*.yaml')))}"
        ", or a path"
    )


def test_a_dialect_with_an_error_of_its_own_is_named(file):
    Path("own.yaml").write_text("dialect: 1\nname: own\n")

    assert refusal(file(changed(dialect="own.yaml"))) == (
        "own.yaml:1: ws: is required\n"
        "own.yaml:1: channels: is required\n"
        "own.yaml:1: data: is required"
    )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("[127.0.1.3/28]", "[0]: must be an IP address of this machine, or a network of them"),
        ("[localhost]", "[0]: must be an IP address"),
        ("[0.0.0.0]", "[0]: must be an IP address"),
        ("[224.0.0.1]", "[0]: must be an IP address"),
        ('["fe80::1%eth0"]', "[0]: must be an IP address"),
        ('[127.0.0.2, "::1"]', "[1]: ::1 and 127.0.0.2: must all be IPv4 or all be IPv6"),
        ("[127.0.0.2, 127.0.0.0/28]", "[1]: 127.0.0.0/28 holds addresses listed before"),
        ('["fd00::/64"]', ": are 18446744073709551616 addresses, at most 1024 are used"),
    ],
)
def test_source_addresses_that_cannot_be_are_refused(file, given, problem):
    assert f"t.yaml:13: source_addresses{problem}" in refusal(file(changed(source_addresses=given)))


@pytest.fixture
def pem(file):
    """Put the files of certificates beside the target file."""
    for name in ("ca.pem", "our.pem", "our.key"):
        Path(name).write_text("PEM")
        Path(name).chmod(0o600)


def test_certificates_are_named_by_their_files(file, pem):
    given = (
        "{ca_file: ca.pem, client_certificate_file: our.pem, client_key_file: our.key, "
        "server_name: exchange.example}"
    )
    target = load_target(file(changed(certificates=given)))

    assert ("ca.pem", "our.pem", "our.key", "exchange.example") == (
        target.certificates.ca_file,
        target.certificates.client_certificate_file,
        target.certificates.client_key_file,
        target.certificates.server_name,
    )
    assert Target.model_validate(target.model_dump(mode="json")) == target


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("{ca_file: no.pem}", ".ca_file: no.pem: cannot be read: No such file or directory"),
        ("{ca_file: .}", ".ca_file: .: cannot be read: Is a directory"),
        (
            "{client_certificate_file: our.pem}",
            ".client_certificate_file: needs client_key_file, its key",
        ),
        (
            "{client_key_file: our.key}",
            ".client_key_file: needs client_certificate_file, what it is for",
        ),
        (
            "{server_name: https://a}",
            ".server_name: must be a host name and nothing else (got 'https://a')",
        ),
        ("{cafile: ca.pem}", ".cafile: unknown key; did you mean ca_file?"),
    ],
)
def test_certificates_that_cannot_be_are_refused_with_their_line(file, pem, given, problem):
    assert f"t.yaml:13: certificates{problem}" == refusal(file(changed(certificates=given)))


def test_certificates_without_tls_are_refused(file, pem):
    text = changed(tls="false", certificates="{ca_file: ca.pem}")

    assert "t.yaml:13: certificates: are of no use without tls: true" == refusal(file(text))


@pytest.mark.parametrize(
    "proxy", ["http://10.0.0.9:3128", "http://[::1]:80/", "http://proxy.example:1"]
)
def test_a_proxy_is_named_by_its_url(file, proxy):
    target = load_target(file(changed(proxy=f'"{proxy}"')))

    assert proxy.rstrip("/") == target.proxy


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        ("https://a:1", "must be http://HOST:PORT (got 'https://a:1')"),
        ("http://a", "must be http://HOST:PORT (got 'http://a')"),
        ("http://a:0", "must have a port from 1 to 65535 (got 'http://a:0')"),
        ("http://a:1/path", "must be http://HOST:PORT (got 'http://a:1/path')"),
        (
            "http://me:secret@a:1",
            "must not carry credentials; let the proxy know us by our address",
        ),
    ],
)
def test_a_proxy_that_cannot_be_is_refused(file, proxy, problem):
    assert f"t.yaml:13: proxy: {problem}" == refusal(file(changed(proxy=f'"{proxy}"')))


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"slo": {"delivery_delay": {"limit_s": 0}}}, "slo.delivery_delay.limit_s"),
        ({"slo": {"delivery_delay": {"limit_s": 1, "quantile": 95}}}, "quantile"),
        ({"slo": {"delay": {"limit_s": 1}}}, "slo.delay"),
    ],
)
def test_an_objective_that_cannot_be_one_is_refused(file, replaced, words):
    assert words in refusal(file(changed(**replaced)))


def test_an_objective_among_the_limits_is_refused_with_its_place(file):
    text = GOOD.replace("application_connections", "delivery_delay")

    assert "give it in slo" in refusal(file(text))


OWN = """\
dialect: 1
name: own
ws: {url: "{scheme}://{host}:{port}/{token}"}
needs: [token]
channels: {book: {wire: "{symbol}"}, ticker: {wire: "t.{symbol}"}}
data: {where: {}}
http: {base: "{scheme}://{host}:{port}"}
rest: {book: {path: /book}}
"""


def test_paths_are_relative_to_the_target_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "own.yaml").write_text(OWN)
    (folder / "key").write_text("s3cret")
    text = changed(
        dialect="own.yaml",
        headers="{X-Key: {file: key}}",
        values="{token: {file: key}}",
        agent='{url: "http://10.0.0.7:9101", token_file: key}',
    )
    (folder / "t.yaml").write_text(text)
    target = load_target(Path("mine/t.yaml"))

    assert target.dialect == "mine/own.yaml"
    assert target.headers["X-Key"].file == "mine/key"
    assert target.values["token"].file == "mine/key"
    assert target.agent.token_file == "mine/key"


def test_a_file_that_is_only_in_the_working_directory_is_taken_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "own.yaml").write_text(OWN)
    (tmp_path / "mine" / "t.yaml").write_text(changed(dialect="own.yaml", values="{token: t}"))

    assert load_target(Path("mine/t.yaml")).dialect == "own.yaml"


def test_what_may_be_a_secret_is_recorded_nowhere(file):
    Path("own.yaml").write_text(OWN)
    text = changed(dialect="own.yaml", headers="{X-Key: s3cret}", values="{token: s3cret}")
    data = recorded(load_target(file(text)))

    assert {"X-Key": "(not recorded)"} == data["headers"]
    assert "s3cret" not in str(data)
    assert "headers" not in recorded(load_target(file(GOOD)))


@pytest.mark.parametrize("name", ["Connection", "upgrade", "Content-Length", "Sec-WebSocket-Key"])
def test_headers_that_are_not_the_user_s_are_refused(file, name):
    said = refusal(file(changed(headers=f"{{{name}: x}}")))

    assert said.endswith(f"headers.{name}: belongs to the handshake or the request itself")
