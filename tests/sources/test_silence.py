"""Each cause of silence has the remedy that fits it, from the errors that real sockets raise."""

import socket
import ssl
import threading

import pytest

from capacity.exchange.self_signed import CERTIFICATE, self_signed
from capacity.sources.silence import silence

KEY = "agent.exporters.urls"
EXPIRED, NOT_YET = 10, 9


def asked(action):
    """Return what the error of *action* is said to be."""
    try:
        action()
    except OSError as error:
        return silence(error, KEY, 3.0)
    raise AssertionError("it answered")


@pytest.fixture(scope="module")
def tls_port(tmp_path_factory):
    """Yield port and folder of a server with a certificate of its own for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    context = self_signed(folder)

    def serve(listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(peer, server_side=True).close()
            except OSError:
                peer.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], folder
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def greet(port, name, ca_file=None):
    context = ssl.create_default_context(cafile=ca_file)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        context.wrap_socket(plain, server_hostname=name).close()


def test_a_certificate_of_its_own_is_trusted_by_a_file(tls_port):
    port, folder = tls_port
    cause, remedy = asked(lambda: greet(port, "localhost"))

    assert cause == "TLS: its certificate is not accepted: self-signed certificate"
    assert remedy == ("set agent.exporters.ca_file to a PEM file with the authority that signed it")
    greet(port, "localhost", folder / CERTIFICATE)


@pytest.mark.parametrize("name", ["metrics.example", "10.1.2.3"])
def test_a_certificate_of_another_name_wants_another_address(tls_port, name):
    port, folder = tls_port
    cause, remedy = asked(lambda: greet(port, name, folder / CERTIFICATE))

    assert "mismatch" in cause
    assert f"write a name that the certificate has in {KEY}" == remedy


@pytest.mark.parametrize("code", [EXPIRED, NOT_YET])
def test_a_certificate_out_of_its_time_wants_a_new_one_or_a_right_clock(code):
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code, error.verify_message = code, "certificate has expired"

    assert "renew the certificate, or set this host's clock" == silence(error, KEY, 3.0).remedy


def test_a_name_that_nobody_knows_is_told_as_such():
    cause, remedy = asked(lambda: socket.getaddrinfo("nobody.invalid", 1))

    assert "its name does not resolve on this host" == cause
    assert remedy.startswith(f"correct the host's name in {KEY}")


def test_silence_without_an_end_has_its_seconds():
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname(), timeout=0.01) as mute,
    ):
        cause, remedy = asked(lambda: mute.recv(1))

    assert "nothing came for 3 s" == cause
    assert "open the firewall" in remedy


def test_what_has_no_remedy_of_its_own_keeps_its_name():
    assert ("ConnectionResetError", None) == silence(ConnectionResetError(), KEY, 3.0)
