"""How a target is reached: source addresses, certificates, a proxy, headers, and which files say so."""

import runpy
from pathlib import Path

import pytest

from capacity.settings.target import Target, load_target, recorded

TARGET_FILES = runpy.run_path(str(Path(__file__).with_name("target_files.py")))
GOOD = TARGET_FILES["GOOD"]
file = TARGET_FILES["file"]
changed = TARGET_FILES["changed"]
refusal = TARGET_FILES["refusal"]


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
