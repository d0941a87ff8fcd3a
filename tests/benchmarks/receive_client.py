"""One client of the receive-path benchmark: `ours` or `plain`; prints its figures as JSON.

    receive_client.py ours|plain PORT CONNECTIONS SECONDS

`plain` is what people write: a Locust user with websocket-client that parses every message and
fires a request event for it. `ours` is the Subscriber with full accounting: channel, delay,
sequence, histogram.
"""

import locust  # noqa: F401, I001 - must patch before anything else is imported

import json
import os
import sys
import time

import gevent
import websocket
from locust import User, constant, task
from locust.env import Environment
from locust.event import Events

from capacity.domain.histogram import Histogram
from capacity.loadgen import messages
from capacity.loadgen.process import raise_descriptor_limit
from capacity.loadgen.subscriber import Subscriber
from capacity.loadgen.worker import Worker

SETTLE_S = 2.0
CHANNEL = "ticker.BTC-PERPETUAL.100ms"
DIALECT = {
    "dialect": 1,
    "name": "pusher",
    "ws": {"url": "{scheme}://{host}:{port}/"},
    "channels": {"ticker": {"wire": CHANNEL}},
    "data": {"where": {"method": "subscription"}, "key": "params.channel", "items": "params.data"},
    "time": {"path": "ts", "unit": "us"},
    "sequence": [{"rule": "plus_one", "seq": "seq"}],
}


class Figures:
    """What arrived after the settling time."""

    def __init__(self) -> None:
        self.messages = self.gaps = 0
        self.delays = Histogram()
        self.cpu_s = self.at_s = 0.0

    def begin(self) -> None:
        self.messages = self.gaps = 0
        self.delays = Histogram()
        self.cpu_s, self.at_s = time.process_time(), time.monotonic()

    def document(self, connections: int) -> dict[str, float]:
        elapsed_s = time.monotonic() - self.at_s
        cpu_s = time.process_time() - self.cpu_s
        return {
            "connections": connections,
            "messages_per_s": self.messages / elapsed_s,
            "cpu_us_per_message": cpu_s * 1e6 / max(1, self.messages),
            "cpu_cores": cpu_s / elapsed_s,
            "delay_p50_ms": self.delays.quantile_us(0.5) / 1000,
            "delay_p99_ms": self.delays.quantile_us(0.99) / 1000,
            "gaps": self.gaps,
        }


def ours(port: int, connections: int, seconds: float) -> dict[str, float]:
    environment = Environment(user_classes=[OurSubscriber], events=Events())
    runner = environment.create_local_runner()
    worker = Worker(environment)
    figures = Figures()

    def count(msg, **_kwargs):
        figures.messages += msg.data["deliveries"]
        figures.gaps += msg.data["gaps"]
        figures.delays.merge(msg.data["histograms"].get("delivery_delay", {}))

    runner.register_message(messages.COUNTS, count)
    orders = {
        "target": {
            "target": 1,
            "name": "pusher",
            "host": "127.0.0.1",
            "port": port,
            "dialect": "pusher",
            "channels": ["ticker"],
            "symbols": ["x"],
        },
        "dialect": DIALECT,
        "connections_per_user": 100,
        "poll_interval_s": 1.0,
        "clock_offset_s": 0.0,
        "subscriptions_by_address": 1,
    }
    runner.send_message(messages.BEGIN, orders)
    stage = {
        "index": 0,
        "phase": "plateau",
        "subscriptions_per_connection": 1,
        "requests_per_s": 0.0,
        "connects_per_s": 2000.0,
    }
    runner.send_message(messages.STAGE, stage)
    runner.start(connections // 100, spawn_rate=100)
    with gevent.Timeout(60):
        while len(worker.fleet.connections) < connections:
            gevent.sleep(0.1)
    gevent.sleep(SETTLE_S)
    worker._report(is_final=False)
    figures.begin()
    gevent.sleep(seconds)
    worker._report(is_final=False)
    return figures.document(len(worker.fleet.connections))


class OurSubscriber(Subscriber):
    pass


class PlainSubscriber(User):
    wait_time = constant(0)
    port = 0
    figures = Figures()
    open_connections = 0

    @task
    def follow(self) -> None:
        client = websocket.create_connection(f"ws://127.0.0.1:{self.port}/")
        type(self).open_connections += 1
        while True:
            text = client.recv()
            data = json.loads(text)["params"]["data"]
            delay_us = time.time() * 1e6 - data["ts"]
            self.figures.messages += 1
            self.figures.delays.add(int(max(0, delay_us)))
            self.environment.events.request.fire(
                request_type="WS",
                name="ticker",
                response_time=delay_us / 1000,
                response_length=len(text),
                exception=None,
                context={},
            )


def plain(port: int, connections: int, seconds: float) -> dict[str, float]:
    PlainSubscriber.port = port
    environment = Environment(user_classes=[PlainSubscriber], events=Events())
    runner = environment.create_local_runner()
    runner.start(connections, spawn_rate=connections)
    with gevent.Timeout(60):
        while PlainSubscriber.open_connections < connections:
            gevent.sleep(0.1)
    gevent.sleep(SETTLE_S)
    PlainSubscriber.figures.begin()
    gevent.sleep(seconds)
    return PlainSubscriber.figures.document(PlainSubscriber.open_connections)


if __name__ == "__main__":
    raise_descriptor_limit()
    kind, port_text, connections_text, seconds_text = sys.argv[1:]
    clients = {"ours": ours, "plain": plain}
    result = clients[kind](int(port_text), int(connections_text), float(seconds_text))
    print(json.dumps(result), flush=True)
    os._exit(0)  # Thousands of greenlets need no goodbye.
