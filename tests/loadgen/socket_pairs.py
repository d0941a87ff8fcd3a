"""Both ends of a connection in the epoll set: a socket pair, whose other end plays the target."""

import shutil
import socket
import ssl
import subprocess

import gevent
import pytest
from wsproto.connection import Connection as Peer
from wsproto.connection import ConnectionType
from wsproto.events import TextMessage

from capacity.loadgen.wire.epoll_set import ConnectionSet

PATIENCE_S = 30


class Heard:
    def __init__(self):
        self.payloads = []
        self.lost = []

    def on_messages(self, connection, payloads):
        self.payloads += payloads

    def on_lost(self, connection, reason):
        self.lost.append(reason)


@pytest.fixture
def connections():
    connections = ConnectionSet()
    yield connections
    connections.close()


@pytest.fixture
def pair(connections):
    """Open a connection; return it, its listener and the target's end."""
    peers = []

    def open_pair(max_message_bytes=1 << 20):
        ours, theirs = socket.socketpair()
        peers.append(theirs)
        heard = Heard()
        return connections.add(ours, heard, max_message_bytes), heard, theirs

    yield open_pair
    for peer in peers:
        peer.close()


@pytest.fixture
def tls_pair(tmp_path):
    """Return both ends of a TLS connection; the target's end first."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: nothing makes a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ],
            *("-nodes", "-days", "1", "-subj", "/CN=target", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(certificate))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()  # TCP, because only its packets are stamped.
    accepting = gevent.spawn(server.wrap_socket, theirs, server_side=True)
    secured = client.wrap_socket(ours, server_hostname="target")
    yield accepting.get(timeout=PATIENCE_S), secured
    accepting.value.close()
    secured.close()


def wait_until(condition):
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.005)


def text_frame(text):
    return Peer(ConnectionType.SERVER).send(TextMessage(data=text))
