"""Clients of the agent that are slow, silent, many, or speak TLS or junk: nobody is held up by them."""

import http.client
import json
import runpy
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.monitor.serving import server as module
from capacity.monitor.serving.credentials import client_context
from capacity.monitor.serving.http_server import MOST_CONNECTIONS

ASKING_AGENTS = runpy.run_path(str(Path(__file__).with_name("asking_agents.py")))
serve = ASKING_AGENTS["serve"]
ask = ASKING_AGENTS["ask"]
send = ASKING_AGENTS["send"]
tls = ASKING_AGENTS["tls"]


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


@pytest.mark.parametrize("asks", [False, True])
def test_who_is_idle_for_half_a_minute_is_cut_off(serve, monkeypatch, wait_until, asks):
    now_s = [100.0]
    server = serve()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    with socket.create_connection(server.host_and_port, timeout=20) as client:
        wait_until(lambda: server._clients)
        if asks:
            now_s[0] = 110.0
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            wait_until(lambda: client.recv(4096).endswith(b"ok\n"))
            wait_until(lambda: any(each.deadline_s > 130.0 for each in server._clients.values()))
        now_s[0] += 30.0
        server.service_actions()
        client.settimeout(0.0)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        client.settimeout(20.0)
        now_s[0] += 0.1

        assert client.recv(1) == b""
