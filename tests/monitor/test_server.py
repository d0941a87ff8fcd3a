"""The HTTP side over real sockets: what it answers, and what it does with those who misbehave."""

import http.client
import json
import socket
import threading
import time

import pytest

from capacity.domain.resources import Resource
from capacity.monitor import server as module
from capacity.monitor.collectors.descriptors import DescriptorsCollector
from capacity.monitor.discovery import Selector
from capacity.monitor.sampler import Sampler
from capacity.monitor.server import AgentServer
from capacity.monitor.store import SampleRing
from capacity.monitor.target import Target


@pytest.fixture
def serve(bystander):
    running = []

    def start(token=None, samples=3, host="127.0.0.1"):
        target = Target(Selector(pid=bystander.pid))
        target.resolve()
        sampler, ring = Sampler(target, [DescriptorsCollector()], []), SampleRing(10)
        sampler.prime()
        for _ in range(samples):
            ring.add(sampler.sample())
        server = AgentServer((host, 0), sampler, ring, token)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(server, path, headers=None, method="GET"):
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=5)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def send(server, data):
    """Send raw bytes and return all that comes back until the server closes."""
    with socket.create_connection(server.host_and_port, timeout=5) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer


def seqs(body):
    return [json.loads(line)["seq"] for line in body.splitlines()]


def test_info_is_one_json_document(serve):
    server = serve()
    status, headers, body = ask(server, "/v1/info")
    info = json.loads(body)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert info["target_pids"] == [server.sampler.view.root]
    assert info["limits"][0]["state"] == "known"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3]),
        ("?since=0", [1, 2, 3]),
        ("?since=1", [2, 3]),
        ("?since=3", []),
        ("?since=99", []),
    ],
)
def test_samples_are_those_after_the_number(serve, query, expected):
    status, headers, body = ask(serve(), f"/v1/samples{query}")

    assert (status, headers["Content-Type"]) == (200, "application/x-ndjson")
    assert (seqs(body), headers["Capacity-Newest-Seq"]) == (expected, "3")


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "%C2%B2", "+1"])
def test_a_number_that_is_none_is_refused(serve, since):
    status, _, body = ask(serve(), f"/v1/samples?since={since}")

    assert status == 400
    assert "sequence number" in json.loads(body)["error"]


def test_metrics_are_text(serve):
    status, headers, body = ask(serve(), "/metrics")

    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"\ncapacity_descriptors " in body


def test_metrics_before_the_first_sample_hold_the_limits(serve):
    _, _, body = ask(serve(samples=0), "/metrics")

    assert b"\ncapacity_descriptors_limit " in body
    assert b"\ncapacity_descriptors " not in body


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/info/", "/V1/INFO", "/../etc/passwd", "/%2e%2e/x", "//"]
)
def test_anything_else_is_not_there(serve, path):
    status, headers, body = ask(serve(), path)

    assert (status, headers["Content-Type"]) == (404, "application/json")
    assert "/v1/samples" in json.loads(body)["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "BREW"])
def test_nothing_but_reading_is_understood(serve, method):
    status, headers, body = ask(serve(), "/v1/info", method=method)

    assert (status, headers["Content-Type"]) == (501, "application/json")
    assert json.loads(body)["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic s3cret"}, 401),
        ({"Authorization": "bearer s3cret"}, 200),
        ({"Authorization": "s3cret"}, 401),
        ({"Authorization": "Bearer s3cret "}, 200),
        ({"Authorization": "Bearer \xfc"}, 401),
        ({"Authorization": "Bearer s3cret"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/v1/info", "/v1/samples", "/metrics"])
def test_with_a_token_only_its_bearer_may_read(serve, path, headers, status):
    assert ask(serve("s3cret"), path, headers)[0] == status


def test_a_refusal_says_how_to_ask_and_paths_are_not_given_away(serve):
    status, headers, body = ask(serve("s3cret"), "/nothing")

    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"samples" not in body


def test_health_is_open(serve):
    assert ask(serve("s3cret"), "/healthz")[::2] == (200, b"ok\n")


def test_one_connection_serves_many_requests(serve):
    server = serve()
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=5)
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
        assert connection.sock is not None
    connection.close()


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(200)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        b"\n\n\n",
        b"",
    ],
    ids=["tls", "no path", "version", "long line", "many headers", "bytes", "newlines", "nothing"],
)
def test_junk_ends_its_own_connection_only(serve, junk, capfd):
    server = serve()
    answer = send(server, junk)

    assert not answer or answer.split()[1][:1] == b"4" or b"505" in answer
    assert b"<html" not in answer.lower()
    assert ask(server, "/healthz")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_body_is_not_taken_for_a_second_request(serve):
    inner = b"GET /v1/info HTTP/1.1\r\n\r\n"
    head = b"GET /healthz HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(inner)

    assert send(serve(), head + inner).count(b"HTTP/1.1 200") == 1


def test_a_client_that_leaves_early_leaves_no_trace(serve, capfd):
    server = serve()
    for _ in range(5):
        client = socket.create_connection(server.host_and_port)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sendall(b"GET /v1/samples HTTP/1.1\r\n\r\nGET /v1")
        client.close()
    time.sleep(0.1)

    assert ask(server, "/healthz")[0] == 200
    assert capfd.readouterr().err == ""


def test_a_defect_is_shown(serve, capfd):
    server = serve()
    del server.ring  # Something that cannot be.
    send(server, b"GET /v1/samples HTTP/1.1\r\n\r\n")

    assert "AttributeError" in capfd.readouterr().err


def test_more_connections_than_threads_are_turned_away_until_one_is_free(serve, wait_until):
    server = serve()
    held = [socket.create_connection(server.host_and_port) for _ in range(module._MAX_CONNECTIONS)]
    turned_away = send(server, b"")
    held.pop().close()
    wait_until(lambda: b"200" in send(server, b"GET /healthz HTTP/1.0\r\n\r\n"))
    for client in held:
        client.close()

    assert turned_away.startswith(b"HTTP/1.1 503")


def drip(client):
    try:
        client.sendall(b"G")
    except OSError:
        return False
    return True


def test_a_slow_drip_is_cut_off_in_time(serve, monkeypatch):
    monkeypatch.setattr(module, "_IDLE_S", 0.3)
    server = serve()
    began_s = time.monotonic()
    with socket.create_connection(server.host_and_port, timeout=5) as client:
        while drip(client) and time.monotonic() < began_s + 5:
            time.sleep(0.02)

    assert 0.2 < time.monotonic() - began_s < 2


def test_asking_again_and_again_is_not_idling(serve, monkeypatch):
    monkeypatch.setattr(module, "_IDLE_S", 0.3)
    server = serve()
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=5)
    for _ in range(6):
        time.sleep(0.1)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
    connection.close()


def test_ipv6_is_served(serve):
    server = serve(host="::1")

    assert ask(server, "/healthz")[0] == 200
    assert server.sampler.limits[0].resource is Resource.DESCRIPTORS
