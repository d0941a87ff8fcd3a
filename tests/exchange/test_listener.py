"""Against real sockets, and for exhaustion against a real descriptor limit."""

import asyncio
import contextlib
import logging
import os
import resource
import socket
import time

import pytest

from capacity.domain.errors import PreflightError
from capacity.exchange.counters import Counters
from capacity.exchange.listener import RETRY_S, Listener, reserved_port


class Greeter(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(b"hi")
        transport.close()


def listening(*, host="127.0.0.1", port=0, backlog=16, counters=None, is_shared=False):
    return Listener(
        host,
        port,
        backlog=backlog,
        protocol=Greeter,
        counters=counters or Counters(),
        is_shared=is_shared,
    )


async def greetings_of(clients):
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        return [await loop.sock_recv(client, 10) for client in clients]


@pytest.fixture(name="clients")
def fixture_clients():
    """Make sockets that do not block."""
    with contextlib.ExitStack() as stack:

        def sockets(count):
            made = [stack.enter_context(socket.socket()) for _ in range(count)]
            for client in made:
                client.setblocking(False)
            return made

        yield sockets


def test_connections_get_the_protocol(clients):
    async def run():
        listener = listening(backlog=256)
        connecting = clients(200)
        loop = asyncio.get_running_loop()
        for client in connecting:
            await loop.sock_connect(client, ("127.0.0.1", listener.port))
        listener.start()
        greetings = await greetings_of(connecting)
        listener.stop()
        return greetings

    assert asyncio.run(run()) == [b"hi"] * 200


def test_a_taken_port_is_said_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PreflightError, match=rf"cannot listen on 127.0.0.1:{port}: Address al"):
            listening(port=port)


def test_a_reserved_port_is_shared_by_its_listeners(clients):
    async def run(port):
        listeners = [listening(port=port, is_shared=True) for _ in range(2)]
        connecting = clients(40)
        for listener in listeners:
            listener.start()
        for client in connecting:
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        greetings = await greetings_of(connecting)
        for listener in listeners:
            listener.stop()
        return greetings

    with reserved_port("127.0.0.1", 0) as reservation:
        port = reservation.getsockname()[1]

        assert [b"hi"] * 40 == asyncio.run(run(port))


def test_a_port_that_somebody_listens_on_is_not_reserved():
    shared = listening(is_shared=True)
    with pytest.raises(PreflightError, match=rf"127.0.0.1:{shared.port}: Address already in use"):
        reserved_port("127.0.0.1", shared.port)
    shared._socket.close()


def test_a_host_that_is_not_here_is_said_in_one_sentence():
    with pytest.raises(PreflightError, match="no such host"):
        listening(host="a" * 70)


@contextlib.contextmanager
def no_descriptor_left():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_descriptors_it_waits_says_so_once_a_second_and_recovers(clients, caplog):
    counters = Counters()

    async def run():
        listener = listening(counters=counters)
        waiting = clients(3)
        listener.start()
        began_s = time.monotonic()
        with no_descriptor_left():
            for client in waiting:
                await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", listener.port))
            while counters.accept_failures < 3:  # noqa: ASYNC110 - a counter tells nobody
                await asyncio.sleep(RETRY_S / 2)
            failures = counters.accept_failures
        tries = 1 + (time.monotonic() - began_s) / RETRY_S
        greetings = await greetings_of(waiting)
        listener.stop()
        return greetings, failures, tries

    with caplog.at_level(logging.WARNING):
        greetings, failures, tries = asyncio.run(asyncio.wait_for(run(), 20))

    assert greetings == [b"hi"] * 3
    # One try each time that it has waited, and no loop in between.
    most_lines = 1 + tries * RETRY_S
    assert failures >= 3
    assert failures <= tries
    assert 0 < len(caplog.records) <= most_lines
    assert "Too many open files" in caplog.text
