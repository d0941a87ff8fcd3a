"""The Subscriber with full accounting: channel, delay, sequence, histogram.

ours.py PORT CONNECTIONS SECONDS [PER_USER [DIALECT]]       prints its figures as JSON
DIALECT is a JSON file: a dialect, and the channels and symbols that are followed in it.
"""

import locust  # noqa: F401, I001 - must patch before anything else is imported

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from figures import Figures
from locust.env import Environment
from locust.event import Events

from capacity.loadgen.protocol import messages
from capacity.loadgen.wire.process_limits import raise_descriptor_limit
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker

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
SPOKEN = {"dialect": DIALECT, "channels": ["ticker"], "symbols": ["x"]}


def measure(
    port: int, connections: int, seconds: float, per_user: int, spoken: dict[str, Any] = SPOKEN
) -> Figures:
    environment = Environment(user_classes=[OurSubscriber], events=Events())
    runner = environment.create_local_runner()
    worker = Worker(environment)
    figures = Figures()

    def count(msg, **_kwargs):
        figures.messages += msg.data["deliveries"]
        figures.gaps += msg.data["gaps"]
        figures.unmatched += msg.data["unmatched"]
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
            "channels": spoken["channels"],
            "symbols": spoken["symbols"],
            "source_addresses": [],
        },
        "dialect": spoken["dialect"],
        "connections_per_user": per_user,
    }
    runner.send_message(messages.BEGIN, orders)
    stage = {
        "index": 0,
        "phase": "plateau",
        "subscriptions_per_connection": 1,
        "requests_per_s": 0.0,
        "connects_per_s": 1e6,
    }
    runner.send_message(messages.STAGE, stage)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    runner.start(connections // per_user, spawn_rate=connections)
    with gevent.Timeout(90):
        while len(worker.clients.connections) < connections:
            gevent.sleep(0.01)
    figures.opened(connections, began_s, began_cpu_s)
    gevent.sleep(SETTLE_S)
    worker._report(is_final=False)
    figures.begin()
    gevent.sleep(seconds)
    worker._report(is_final=False)
    figures.end(len(worker.clients.connections))
    return figures


class OurSubscriber(Subscriber):
    pass


if __name__ == "__main__":
    raise_descriptor_limit()
    port_text, connections_text, seconds_text, *rest = sys.argv[1:]
    per_user = int(rest[0]) if rest else 100
    spoken = json.loads(Path(rest[1]).read_text("utf-8")) if len(rest) > 1 else SPOKEN
    measure(int(port_text), int(connections_text), float(seconds_text), per_user, spoken).print()
    os._exit(0)  # Thousands of greenlets need no goodbye.
