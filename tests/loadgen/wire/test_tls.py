"""Certificates made by OpenSSL for the test, and real TLS servers that show and ask for them."""

import runpy
import ssl
import subprocess
from pathlib import Path

import gevent
import pytest
from gevent.server import StreamServer

from capacity.domain.errors import ConfigError
from capacity.loadgen.wire.dialing import dial
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import HandshakeError, open_websocket
from capacity.loadgen.wire.tls import _why, client_context
from capacity.settings.targets.certificates import Certificates

TLS = runpy.run_path(str(Path(__file__).parents[1] / "tls_target.py"))
Authority, fronted = TLS["Authority"], TLS["fronted"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "another")


@pytest.fixture
def start():
    """Start TLS before a server that only listens; return the server."""
    behind = StreamServer(("127.0.0.1", 0), lambda sock, _address: sock.recv(1))
    behind.start()
    servers = [behind]

    def front(*arguments, **options):
        servers.append(fronted(behind.server_port, *arguments, **options))
        return servers[-1]

    yield front
    for server in servers:
        server.stop(timeout=0)


def connected(server, certificates):
    url = f"wss://127.0.0.1:{server.server_port}/"
    with dial(Endpoint(url=url, timeout_s=2, certificates=certificates)).socket as sock:
        return sock.version()


def failure(server, certificates):
    url = f"wss://127.0.0.1:{server.server_port}/"
    with pytest.raises(HandshakeError) as error:
        open_websocket(Endpoint(url=url, timeout_s=2, certificates=certificates))
    return str(error.value)


def test_an_authority_of_ones_own_is_trusted(authority, start):
    server = start(authority.certificate("IP:127.0.0.1"))

    assert "TLSv1.3" == connected(server, authority.trusted())


def test_without_it_only_the_systems_authorities_are_trusted(authority, start):
    assert "tls_certificate" == failure(start(authority.certificate("IP:127.0.0.1")), None)


def test_another_authority_is_not_trusted(authority, stranger, start):
    server = start(authority.certificate("IP:127.0.0.1"))

    assert "tls_certificate" == failure(server, stranger.trusted())


def test_a_name_of_another_is_refused(authority, start):
    server = start(authority.certificate("DNS:exchange.example"))

    assert "tls_certificate" == failure(server, authority.trusted())


def test_the_server_name_is_asked_for_and_checked_instead_of_the_host(authority, start):
    server = start(authority.certificate("DNS:exchange.example"))
    connected(server, authority.trusted(server_name="exchange.example"))

    assert ["exchange.example"] == server.asked_names
    assert "tls_certificate" == failure(server, authority.trusted(server_name="other.example"))


def test_a_target_that_asks_who_we_are_is_shown_our_certificate(authority, stranger, start):
    ours = authority.certificate("DNS:generator.example")
    server = start(authority.certificate("IP:127.0.0.1"), client_authority=authority.file)
    shown = dict(zip(("client_certificate_file", "client_key_file"), ours, strict=True))

    assert "TLSv1.3" == connected(server, authority.trusted(**shown))


@pytest.mark.parametrize("has_certificate", [False, True], ids=["none", "one of a stranger"])
def test_a_target_that_does_not_accept_who_we_are_is_counted_so(
    authority, stranger, start, has_certificate
):
    server = start(authority.certificate("IP:127.0.0.1"), client_authority=authority.file)
    shown = {}
    if has_certificate:
        files = stranger.certificate("DNS:generator.example")
        shown = dict(zip(("client_certificate_file", "client_key_file"), files, strict=True))

    assert "tls_client_certificate" == failure(server, authority.trusted(**shown))


def test_the_context_is_made_once_and_always_verifies(authority):
    context = client_context(authority.trusted())

    assert context is client_context(Certificates(ca_file=authority.file))
    assert (True, ssl.CERT_REQUIRED) == (context.check_hostname, context.verify_mode)


def test_a_file_without_authorities_is_named(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(
        ConfigError, match=rf"^certificates\.ca_file: {file}: no certificate can be"
    ):
        client_context(Certificates(ca_file=str(file)))


def test_files_that_have_gone_on_this_host_are_the_generators_fault(authority, start, tmp_path):
    server = start(authority.certificate("IP:127.0.0.1"))

    assert "generator_certificates" == failure(server, Certificates(ca_file=str(tmp_path / "gone")))


@pytest.mark.parametrize("trouble", ["another key", "encrypted", "no PEM"])
def test_a_certificate_without_its_usable_key_is_named_and_no_password_is_asked_for(
    authority, tmp_path, trouble
):
    certificate, key = authority.certificate("DNS:generator.example")
    if trouble == "another key":
        _other, key = authority.certificate("DNS:generator.example")
    elif trouble == "encrypted":
        encrypted = ["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret"]
        key = str(tmp_path / "encrypted.key")
        subprocess.run([*encrypted, "-out", key], check=True, capture_output=True)
    else:
        key = str(tmp_path / "junk.key")
        Path(key).write_text("junk")
    with gevent.Timeout(5), pytest.raises(ConfigError, match="cannot be used with the key in"):
        client_context(Certificates(client_certificate_file=certificate, client_key_file=key))


def test_an_error_without_words_is_told_by_its_kind():
    assert "TimeoutError" == _why(TimeoutError())
    assert "No such file" == _why(FileNotFoundError(2, "No such file"))
