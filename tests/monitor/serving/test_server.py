"""The HTTP side over real sockets: what it answers, and what it does with those who misbehave."""

import http.client
import json
import socket
import time

import psutil
import pytest

from capacity.domain.resources import Resource
from capacity.monitor.collectors.descriptors import DescriptorsCollector
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.target import Target
from capacity.monitor.notes import Notes
from capacity.monitor.sampler import Sampler
from capacity.monitor.serving import server as module
from capacity.monitor.serving.credentials import client_context, server_context
from capacity.monitor.serving.http_server import MOST_CONNECTIONS
from capacity.monitor.serving.server import AgentServer
from capacity.monitor.serving.store import SampleRing


@pytest.fixture
def serve(bystander, in_a_thread):
    def start(token=None, samples=3, host="127.0.0.1", tls=None, notes=None):
        target = Target(Selector(pid=bystander.pid))
        target.resolve()
        sampler, ring = Sampler(target, [DescriptorsCollector()], []), SampleRing(10)
        sampler.prime()
        for _ in range(samples):
            ring.add(sampler.sample())
        return in_a_thread(AgentServer((host, 0), sampler, ring, token=token, tls=tls, notes=notes))

    return start


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


def test_a_limit_that_is_changed_is_told_to_who_asks_next(serve, bystander):
    server = serve()
    soft, hard = psutil.Process(bystander.pid).rlimit(psutil.RLIMIT_NOFILE)
    psutil.Process(bystander.pid).rlimit(psutil.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        server.sampler._limits_read_at_s = float("-inf")
        [told] = json.loads(ask(server, "/v1/info")[2])["limits"]
    finally:
        psutil.Process(bystander.pid).rlimit(psutil.RLIMIT_NOFILE, (soft, hard))

    assert soft - 1 == told["value"]


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


def test_who_listens_on_a_port_is_looked_up_when_asked(serve, start_child):
    child = start_child(
        "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
    )
    status, headers, body = ask(serve(), f"/v1/port?number={child.said[0]}")
    [holder] = json.loads(body)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (holder["pid"], holder["is_watched"]) == (child.pid, False)


@pytest.mark.parametrize("number", ["", "0", "65536", "99999999999999999999", "x", "-1"])
def test_a_port_that_is_none_is_refused(serve, number):
    status, _, body = ask(serve(), f"/v1/port?number={number}")

    assert status == 400
    assert "1 to 65535" in json.loads(body)["error"]


def test_one_at_a_time_may_have_the_processes_looked_through(serve):
    server = serve()
    with server.looking:
        assert 503 == ask(server, "/v1/port?number=1")[0]
    assert 200 == ask(server, "/v1/port?number=1")[0]


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
@pytest.mark.parametrize("path", ["/v1/info", "/v1/samples", "/v1/port?number=1", "/metrics"])
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


def held_connections(server):
    return [socket.create_connection(server.host_and_port) for _ in range(MOST_CONNECTIONS)]


def asked(server, path="/healthz"):
    """Return a connection that stays open after it was answered."""
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=5)
    connection.request("GET", path, headers={"Authorization": "Bearer s3cret"})
    connection.getresponse().read()
    return connection


@pytest.mark.parametrize("token", [None, "s3cret"])
def test_those_that_never_asked_make_room_for_one_that_does(serve, token):
    server = serve(token)
    held = held_connections(server)

    assert ask(server, "/healthz")[0] == 200
    assert held[0].recv(1) == b""
    for client in held:
        client.close()


@pytest.mark.parametrize("token", [None, "s3cret"])
def test_who_was_served_and_is_idle_makes_room_the_longest_idle_first(serve, token):
    server = serve(token)
    held = [asked(server, "/v1/samples") for _ in range(MOST_CONNECTIONS)]
    held[0].request("GET", "/v1/samples", headers={"Authorization": "Bearer s3cret"})
    held[0].getresponse().read()
    newcomer = asked(server, "/v1/samples")

    assert held[1].sock.recv(1) == b""
    held[0].request("GET", "/v1/samples", headers={"Authorization": "Bearer s3cret"})
    assert held[0].getresponse().status == 200
    for client in (newcomer, *held):
        client.close()


def test_where_all_are_being_answered_a_further_connection_is_turned_away(serve, wait_until):
    server = serve()
    line = server.ring.since(0)[0][1]
    server.ring._lines = [(seq, line * 8) for seq in range(1, 9000)]
    held = held_connections(server)
    for client in held:
        client.sendall(b"GET /v1/samples HTTP/1.1\r\n\r\n")
    wait_until(lambda: sum(each.is_asking for each in server._clients.values()) == len(held))
    for client in server._clients.values():
        client.is_known = True
    turned_away = send(server, b"")
    for client in held:
        client.close()

    assert turned_away.startswith(b"HTTP/1.1 503")


def test_asking_for_what_is_open_to_all_keeps_no_place(serve):
    server = serve("s3cret")
    known = asked(server, "/v1/samples")
    strangers = [asked(server) for _ in range(MOST_CONNECTIONS - 1)]
    newcomer = asked(server, "/v1/info")
    known.request("GET", "/v1/samples", headers={"Authorization": "Bearer s3cret"})

    assert known.getresponse().status == 200
    for client in (known, newcomer, *strangers):
        client.close()


def test_a_client_that_does_not_read_its_answer_holds_up_nobody_and_is_cut_off(serve, wait_until):
    server = serve()
    line = server.ring.since(0)[0][1]
    server.ring._lines = [(seq, line) for seq in range(1, 5000)]
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(server.host_and_port)
    client.sendall(b"GET /v1/samples HTTP/1.1\r\n\r\n")
    answered = ask(server, "/healthz")[0]
    wait_until(lambda: len(server._clients) == 1)
    [(_, held)] = server._clients.items()
    held.deadline_s = 0.0
    wait_until(lambda: not server._clients)
    client.close()

    assert answered == 200


@pytest.fixture
def tls(certificate):
    return server_context(certificate.file, certificate.key)


def ask_over_tls(server, certificate, path):
    context = client_context(certificate.file)
    connection = http.client.HTTPSConnection(*server.host_and_port, timeout=5, context=context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_over_tls_it_answers_as_without(serve, tls, certificate):
    server = serve(tls=tls)
    status, body = ask_over_tls(server, certificate, "/v1/samples?since=1")

    assert (status, [json.loads(line)["seq"] for line in body.splitlines()]) == (200, [2, 3])
    assert server.url == f"https://127.0.0.1:{server.host_and_port[1]}"


@pytest.mark.parametrize(
    "junk", [b"GET /v1/info HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00junk", b""]
)
def test_who_speaks_no_tls_learns_nothing_and_holds_up_nobody(serve, tls, certificate, junk, capfd):
    server = serve(tls=tls)
    answer = send(server, junk)

    assert b"HTTP" not in answer
    assert ask_over_tls(server, certificate, "/healthz")[0] == 200
    assert capfd.readouterr().err == ""


def test_handshakes_that_never_end_hold_up_nobody(serve, tls, certificate):
    server = serve(tls=tls)
    held = held_connections(server)
    status, _ = ask_over_tls(server, certificate, "/healthz")
    for client in held:
        client.close()

    assert status == 200


def test_a_handshake_that_never_ends_is_cut_off_in_time(serve, tls, monkeypatch):
    monkeypatch.setattr(module, "_IDLE_S", 0.3)
    server = serve(tls=tls)
    with socket.create_connection(server.host_and_port, timeout=20) as client:
        client.sendall(b"\x16\x03\x01")

        assert client.recv(1) == b""


def test_what_the_agent_notes_about_itself_is_in_the_info(serve):
    notes = Notes()
    notes.say("spool", "is full")

    assert json.loads(ask(serve(notes=notes), "/v1/info")[2])["notes"] == ["is full"]


def drip(client):
    try:
        client.sendall(b"G")
    except OSError:
        return False
    return True


def test_a_slow_drip_is_cut_off_in_time(serve, monkeypatch, wait_until):
    monkeypatch.setattr(module, "_IDLE_S", 0.3)
    server = serve()
    with socket.create_connection(server.host_and_port, timeout=5) as client:
        wait_until(lambda: not drip(client))

        assert not drip(client)


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


@pytest.mark.parametrize(
    "request_line",
    [
        "GET http://[ HTTP/1.1",
        f"GET /v1/samples?since={'9' * 30_000} HTTP/1.1",
        f"GET /v1/port?number={'9' * 30_000} HTTP/1.1",
        "GET /v1/samples?since=-1 HTTP/1.1",
    ],
)
def test_a_request_that_is_none_is_a_bad_request_and_no_traceback(serve, request_line, capfd):
    answer = send(serve(), f"{request_line}\r\nHost: localhost\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "" == capfd.readouterr().err


def test_a_page_of_the_web_whose_name_leads_here_is_told_nothing(serve):
    answer = send(serve(), b"GET /v1/info HTTP/1.1\r\nHost: evil.example:9101\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 421 ")
    assert b"target_pids" not in answer
