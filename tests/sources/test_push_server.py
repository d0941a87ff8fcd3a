"""The wire: who may post what, and that nobody holds up anybody else."""

import http.client
import json
import socket
import ssl
import subprocess
import sys
from http import HTTPStatus

import pytest

from capacity.sources import push_server
from capacity.sources.push_server import PushServer, RefusedError


class Kept:
    def __init__(self):
        self.infos, self.samples = [], []

    def take_info(self, body, newest_seq, round_trip_s):
        self.infos.append((body, newest_seq, round_trip_s))
        return 7

    def take_samples(self, body, newest_seq):
        if not self.infos:
            raise RefusedError(HTTPStatus.CONFLICT, "info first")
        self.samples.append((body, newest_seq))
        return 9


@pytest.fixture
def serving():
    """Start a server with an inbox that keeps what it gets; returns both."""
    servers = []

    def start(token=None, tls=None):
        servers.append(PushServer(("127.0.0.1", 0), Kept(), token, tls))
        servers[-1].start()
        return servers[-1], servers[-1].inbox

    yield start
    for server in servers:
        server.close()


def post(server, path, body=b"{}", headers=None, connection=None):
    own = connection or http.client.HTTPConnection(*server.server_address[:2], timeout=5)
    own.request("POST", path, body, headers or {})
    response = own.getresponse()
    answer = response.status, json.loads(response.read())
    if connection is None:
        own.close()
    return answer


def test_info_and_samples_are_handed_on_and_answered_with_the_number_wanted(serving):
    server, inbox = serving()
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
    newest = {"Capacity-Newest-Seq": "41"}

    assert (200, {"next": 7}) == post(server, "/v1/info", b"I", newest, connection)
    assert (200, {"next": 9}) == post(server, "/v1/samples", b"S", newest, connection)
    assert (b"S", 41) == inbox.samples[0]
    assert (b"I", 41) == inbox.infos[0][:2]
    assert 0 < inbox.infos[0][2] < 1, "TCP knows its round trip"
    connection.close()


def test_samples_before_any_info_are_a_conflict(serving):
    server, _ = serving()

    assert (409, {"error": "info first"}) == post(server, "/v1/samples")


@pytest.mark.parametrize(
    "given", [None, "Bearer wrong", "Basic secret", "secret", "Bearer ", "Bearer secretsecret"]
)
def test_another_token_is_refused_and_nothing_of_it_read(serving, given):
    server, inbox = serving(token="secret")
    status, _ = post(server, "/v1/info", headers={"Authorization": given} if given else {})

    assert 401 == status
    assert [] == inbox.infos


def test_the_token_opens(serving):
    server, _ = serving(token="secret")

    assert 200 == post(server, "/v1/info", headers={"Authorization": "Bearer secret"})[0]


def test_there_is_nothing_else(serving):
    server, _ = serving()
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
    connection.request("GET", "/v1/info")

    assert 405 == connection.getresponse().status
    connection.close()
    assert 404 == post(server, "/v1/other")[0]


def test_a_body_too_long_is_refused_before_it_is_read(serving, monkeypatch):
    monkeypatch.setattr(push_server, "MOST_BODY_BYTES", 100)
    server, inbox = serving()

    assert 413 == post(server, "/v1/info", b"x" * 101)[0]
    assert 200 == post(server, "/v1/info", b"x" * 100)[0]
    assert 1 == len(inbox.infos)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "9" * 5000}, 413),
        ({"Content-Length": "-1"}, 411),
        ({"Capacity-Newest-Seq": "9" * 5000}, 200),
        ({"Capacity-Newest-Seq": "abc"}, 200),
    ],
)
def test_numbers_of_any_length_are_no_traceback(serving, headers, status, capfd):
    server, _ = serving()

    assert status == post(server, "/v1/info", headers=headers)[0]
    assert "" == capfd.readouterr().err


@pytest.mark.parametrize("method", ["PUT", "HEAD"])
def test_other_methods_are_refused_in_json(serving, method):
    server, _ = serving()
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=5)
    connection.request(method, "/v1/info")
    response = connection.getresponse()

    assert (501, "application/json") == (response.status, response.headers["Content-Type"])
    assert b"<" not in response.read()
    connection.close()


def test_a_body_without_a_length_is_refused(serving):
    server, _ = serving()

    assert 411 == post(server, "/v1/info", iter([b"x"]), {"Transfer-Encoding": "chunked"})[0]


def test_a_body_that_ends_early_is_not_taken(serving):
    server, inbox = serving()
    with socket.create_connection(server.server_address[:2], timeout=5) as client:
        client.sendall(b"POST /v1/info HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        client.shutdown(socket.SHUT_WR)

        assert b"" == client.recv(100)
    assert [] == inbox.infos


def test_silent_and_babbling_clients_cost_only_themselves(serving):
    server, _ = serving()
    junk = [socket.create_connection(server.server_address[:2], timeout=5) for _ in range(40)]
    for client in junk[::2]:
        client.sendall(b"\x16\x03\x01 no HTTP at all \xff")

    assert 200 == post(server, "/v1/info")[0]
    for client in junk:
        client.close()


@pytest.fixture
def certificate(tmp_path):
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    out = ["-out", files[0], "-keyout", files[1]]
    subprocess.run([*command.split(), *names, *out], check=True, capture_output=True)
    return files


def test_over_tls_a_client_that_never_shakes_hands_holds_up_nobody(serving, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server, inbox = serving(tls=context)
    silent = [socket.create_connection(server.server_address[:2], timeout=5) for _ in range(3)]
    trusting = ssl.create_default_context(cafile=certificate[0])
    connection = http.client.HTTPSConnection(
        *server.server_address[:2], timeout=5, context=trusting
    )

    assert (200, {"next": 7}) == post(server, "/v1/info", connection=connection)
    assert 0 < inbox.infos[0][2] < 1
    for client in (connection, *silent):
        client.close()


def test_a_closed_server_lets_its_port_go(serving):
    server, _ = serving()
    post(server, "/v1/info")
    address = server.server_address[:2]
    server.close()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(address)

        assert address == again.getsockname()


GREEN = """
import socketserver, selectors  # Imported before the patch, as a plugin of somebody's might.
from gevent import monkey; monkey.patch_all()
import gevent, http.client, sys, time
from capacity.sources.push_server import PushServer
class Inbox:
    def take_info(self, body, newest_seq, round_trip_s): return 1
    def take_samples(self, body, newest_seq): return 1
server = PushServer(("127.0.0.1", 0), Inbox(), None)
server.start()
beats = []
def beat():
    while True:
        beats.append(time.monotonic()); gevent.sleep(0.01)
gevent.spawn(beat)
gevent.sleep(0.5)
connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
for _ in range(20):
    connection.request("POST", "/v1/info", b"{}")
    assert connection.getresponse().read() == b'{"next": 1}'
server.close()
print(max(after - before for before, after in zip(beats, beats[1:])))
"""


@pytest.mark.alone
def test_in_a_gevent_process_it_is_a_greenlet_that_stops_no_other():
    """As in Locust's master, where it runs."""
    finished = subprocess.run(
        [sys.executable, "-c", GREEN], capture_output=True, text=True, timeout=60, check=False
    )

    assert finished.returncode == 0, finished.stderr
    assert float(finished.stdout) < 0.3
