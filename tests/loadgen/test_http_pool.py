"""Keep-alive beyond descriptor 1,023, against a real server that counts its connections."""

from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

import fcntl
import itertools
import os
import resource
from types import SimpleNamespace

import gevent
import pytest
from gevent.pywsgi import WSGIServer

from capacity.loadgen.http_pool import _is_socket_alive, keep_high_descriptors, open_from


@pytest.fixture
def server():
    """Serve one short answer; remember the ports that clients came from."""
    ports, addresses = set(), []

    def answer(environ, start_response):
        ports.add(environ["REMOTE_PORT"])
        addresses.append(environ["REMOTE_ADDR"])
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]

    listener = WSGIServer(("127.0.0.1", 0), answer, log=None)
    listener.start()
    yield SimpleNamespace(
        url=f"http://127.0.0.1:{listener.server_port}", ports=ports, addresses=addresses
    )
    listener.stop()


@pytest.fixture
def low_descriptors_taken():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip(f"needs 1,200 descriptors, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    taken = []
    while not taken or taken[-1] < 1024:
        taken.append(fcntl.fcntl(0, fcntl.F_DUPFD, 3))
    yield
    for descriptor in taken:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_poller_above_descriptor_1023_keeps_its_connection(server, low_descriptors_taken):
    keep_high_descriptors()
    session = FastHttpSession(server.url, Environment().events.request, None)
    for _ in range(5):
        assert 200 == session.get("/").status_code
        gevent.sleep(0)
    session.client.clientpool.close()

    assert 1 == len(server.ports)


def test_a_connection_that_the_server_ended_is_not_alive():
    ours, theirs = gevent.socket.socketpair()
    alive_before = _is_socket_alive(None, ours)
    theirs.close()
    alive_after = _is_socket_alive(None, ours)
    ours.close()
    alive_when_closed = _is_socket_alive(None, ours)

    assert (True, False, False) == (alive_before, alive_after, alive_when_closed)


@pytest.fixture
def sources():
    """Let connections leave from here; afterwards from wherever the kernel chooses."""
    yield open_from
    open_from(itertools.repeat(None))


def test_connections_leave_from_the_addresses_in_turn(server, sources):
    sources(itertools.cycle(["127.0.0.2", "127.0.0.3"]))
    for _ in range(3):
        session = FastHttpSession(server.url, Environment().events.request, None)
        assert 200 == session.get("/").status_code
        session.client.clientpool.close()

    assert ["127.0.0.2", "127.0.0.3", "127.0.0.2"] == server.addresses


def test_no_poll_leaves_from_an_address_that_is_not_this_machines(server, sources):
    sources(itertools.repeat("192.0.2.1"))
    session = FastHttpSession(server.url, Environment().events.request, None)

    assert 0 == session.get("/").status_code
    assert [] == server.addresses
