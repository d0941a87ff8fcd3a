"""Server-sent events and long polls of nginx with nchan: what it published, counted by our clients."""

import contextlib
import http.client
import json
import socket
import threading
import time

import gevent
import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.settings.dialect import dump, load_dialect
from capacity.settings.locate import find
from capacity.settings.target import Target

pytestmark = pytest.mark.end_to_end
PATIENCE_S = 30.0
KEPT = 10
"""Messages of a channel that nchan keeps for those who come back."""


class Relay:
    """Passes connections on to a port, until it is told to cut them all."""

    def __init__(self, port):
        self._to = port
        self._ends = []
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def cut(self):
        while self._ends:
            self._hang_up(self._ends.pop())

    def close(self):
        self._hang_up(self._listener)
        self.cut()
        for thread in self._threads:
            thread.join()

    def _start(self, run, *arguments):
        self._threads.append(threading.Thread(target=run, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self):
        with self._listener, contextlib.suppress(OSError):
            while True:
                here, _address = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                self._ends += (here, there)
                self._start(self._pump, here, there)
                self._start(self._pump, there, here)

    def _pump(self, source, sink):
        with source, contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        self._hang_up(sink)

    @staticmethod
    def _hang_up(end):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def start_relay():
    with contextlib.ExitStack() as stack:

        def start(port):
            return stack.enter_context(contextlib.closing(Relay(port)))

        yield start


class Channel:
    """One channel of an nginx, published into with consecutive numbers."""

    def __init__(self, nginx):
        self._nginx, self.count = nginx, 0

    def publish(self, count):
        connection = http.client.HTTPConnection("127.0.0.1", self._nginx.port, timeout=5)
        for _ in range(count):
            self.count += 1
            body = json.dumps({"seq": self.count, "ts": round(time.time() * 1000)})
            connection.request("POST", "/pub/prices", body)
            answer = connection.getresponse()
            answer.read()
            assert answer.status in {201, 202}
        connection.close()


@pytest.fixture
def subscribe():
    """Open connections of a shipped dialect; returns the clients, their slots, and the losses."""
    started = []

    def start(dialect, port, connections):
        described = load_dialect(find("dialects", dialect))
        target = Target(
            target=1,
            name="nchan",
            host="127.0.0.1",
            port=port,
            dialect=dialect,
            symbols=["prices"],
            channels=["updates"],
        )
        clients = Clients(
            RunInstructions(
                target=target.model_dump(mode="json"),
                dialect=dump(described),
                subscriptions_by_address=1,
            )
        )
        started.append(clients)
        clients.turn_to(
            Stage(
                index=0,
                phase="plateau",
                subscriptions_per_connection=1,
                requests_per_s=0.0,
                connects_per_s=100.0,
            )
        )
        lost = []
        slots = clients.join(connections, lambda **_: lost.append(1))
        for slot in slots:
            slot.open()
        return clients, slots, lost

    yield start
    for clients in started:
        clients.close()


def wait(until):
    with gevent.Timeout(PATIENCE_S):
        while not until():
            gevent.sleep(0.01)


@pytest.mark.parametrize("dialect", ["event-stream", "long-poll"])
def test_every_published_message_is_counted_once_for_each_subscriber(
    start_nginx, subscribe, dialect
):
    nginx = start_nginx()
    channel = Channel(nginx)
    clients, _slots, lost = subscribe(dialect, nginx.port, connections=5)
    wait(lambda: nginx.subscribers() == 5)

    channel.publish(KEPT)
    wait(lambda: clients.counters.deliveries >= 5 * KEPT)
    channel.publish(1)
    wait(lambda: clients.counters.deliveries > 5 * KEPT)
    gevent.sleep(0.1)

    assert clients.counters.deliveries == 5 * channel.count
    assert (clients.counters.gaps, clients.counters.unmatched, lost) == (0, 0, [])
    assert len(clients.counters.delivery_delay) == 5 * channel.count


@pytest.mark.parametrize("dialect", ["event-stream", "long-poll"])
@pytest.mark.parametrize(("away", "missed"), [(KEPT, 0), (KEPT + 3, 3)])
def test_after_a_loss_what_the_target_kept_is_received_and_what_it_forgot_is_a_gap(
    start_nginx, start_relay, subscribe, dialect, away, missed
):
    nginx = start_nginx()
    channel, relay = Channel(nginx), start_relay(nginx.port)
    clients, (slot,), lost = subscribe(dialect, relay.port, connections=1)
    wait(lambda: nginx.subscribers() == 1)
    channel.publish(2)
    wait(lambda: clients.counters.deliveries == 2)

    relay.cut()
    wait(lambda: lost)
    wait(lambda: nginx.subscribers() == 0)
    channel.publish(away)
    slot.open()
    wait(lambda: clients.counters.deliveries + clients.counters.gaps >= channel.count)

    assert (clients.counters.deliveries, clients.counters.gaps) == (channel.count - missed, missed)
    assert (clients.counters.lost, clients.counters.unmatched) == (1, 0)


def test_another_client_in_the_place_of_one_that_left_is_sent_nothing_old(start_nginx, subscribe):
    nginx = start_nginx()
    channel = Channel(nginx)
    clients, (slot,), lost = subscribe("event-stream", nginx.port, connections=1)
    wait(lambda: nginx.subscribers() == 1)
    channel.publish(1)
    wait(lambda: clients.counters.deliveries == 1)

    slot.renew()
    wait(lambda: nginx.subscribers() == 0)
    channel.publish(1)
    slot.open()
    wait(lambda: nginx.subscribers() == 1)
    channel.publish(1)
    wait(lambda: clients.counters.deliveries > 1)

    assert (clients.counters.deliveries, clients.counters.gaps, lost) == (2, 0, [1])
