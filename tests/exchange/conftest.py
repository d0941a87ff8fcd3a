"""A real exchange on a thread of its own, and real clients to talk to it."""

import asyncio
import json
import os
import threading
from contextlib import ExitStack, contextmanager

import pytest
import requests
import websocket

from capacity.exchange.app import Exchange
from capacity.exchange.options import ExchangeOptions

TIMEOUT_S = 60.0 * float(os.environ.get("CAPACITY_TEST_TIMEOUT_FACTOR", "1"))


class Client:
    """A trader's view of the exchange at *port*."""

    def __init__(self, port):
        self.http = f"http://127.0.0.1:{port}"
        self.ws = f"ws://127.0.0.1:{port}/ws/api/v2"
        self._sockets = []

    def status(self):
        return requests.get(f"{self.http}/status", timeout=TIMEOUT_S).json()

    def status_once(self, condition):
        """Return the status as soon as *condition* holds of it."""
        clock = threading.Event()
        for _ in range(int(TIMEOUT_S / 0.02)):
            status = self.status()
            if condition(status):
                return status
            clock.wait(0.02)
        raise AssertionError(f"never came true; last seen: {status}")

    def get(self, method, **params):
        headers = params.pop("headers", {})
        return requests.get(
            f"{self.http}/api/v2/{method}", params=params, headers=headers, timeout=TIMEOUT_S
        )

    def connect(self):
        connection = websocket.create_connection(self.ws, timeout=TIMEOUT_S)
        self._sockets.append(connection)
        return connection

    def close(self):
        for connection in self._sockets:
            connection.shutdown()


def ask(connection, method, request_id=1, **params):
    """Send a request and return its reply, passing over what is pushed in between."""
    connection.send(json.dumps({"id": request_id, "method": method, "params": params}))
    while True:
        message = json.loads(connection.recv())
        if message.get("method") not in ("subscription", "heartbeat"):
            return message


def pushed(connection, count=1):
    """Return the parameters of the next *count* notifications."""
    return [json.loads(connection.recv())["params"] for _ in range(count)]


@contextmanager
def running_exchange(**options):
    exchange = Exchange(ExchangeOptions(**({"port": 0} | options)))
    ports, finished = [], []
    started = threading.Event()

    async def run():
        stop = asyncio.Event()
        finished.append((asyncio.get_running_loop(), stop))
        async with exchange.running() as port:
            ports.append(port)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(TIMEOUT_S)
    client = Client(ports[0])
    try:
        yield client
    finally:
        client.close()
        loop, stop = finished[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(TIMEOUT_S)


@pytest.fixture(name="exchange")
def fixture_exchange():
    """Start exchanges with the options given; they end with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running_exchange(**options))


class HastyLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to what is due next instead of waiting for it; nothing is ever late."""

    def __init__(self):
        super().__init__()
        self.passed_s = 0.0
        self._look, self._selector.select = self._selector.select, self._jump

    def _jump(self, timeout_s):
        self.passed_s += timeout_s or 0.0
        return self._look(0)

    def time(self):
        return self.passed_s


@pytest.fixture(name="in_no_time", scope="session")
def fixture_in_no_time():
    """Run a coroutine of timers only, on a clock that does not wait."""

    def run(coroutine):
        with asyncio.Runner(loop_factory=HastyLoop) as runner:
            return runner.run(coroutine)

    return run


@pytest.fixture(name="ask")
def fixture_ask():
    return ask


@pytest.fixture(name="pushed")
def fixture_pushed():
    return pushed
