"""The Subscriber with full accounting: channel, delay, sequence, histogram.

ours.py PORT CONNECTIONS SECONDS        prints its figures as JSON
"""

import locust  # noqa: F401, I001 - must patch before anything else is imported

import os
import sys

import gevent
from figures import Figures
from locust.env import Environment
from locust.event import Events

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


def measure(port: int, connections: int, seconds: float) -> Figures:
    environment = Environment(user_classes=[OurSubscriber], events=Events())
    runner = environment.create_local_runner()
    worker = Worker(environment)
    figures = Figures()

    def count(msg, **_kwargs):
        figures.messages += msg.data["deliveries"]
        figures.gaps += msg.data["gaps"]
        figures.delays.merge(msg.data["histograms"].get("delivery_delay", {}))
        figures.arrivals.merge(msg.data["histograms"].get("arrival_delay", {}))

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
    figures.end(len(worker.fleet.connections))
    return figures


class OurSubscriber(Subscriber):
    pass


if __name__ == "__main__":
    raise_descriptor_limit()
    port_text, connections_text, seconds_text = sys.argv[1:]
    measure(int(port_text), int(connections_text), float(seconds_text)).print()
    os._exit(0)  # Thousands of greenlets need no goodbye.
