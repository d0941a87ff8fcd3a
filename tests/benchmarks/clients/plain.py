"""What people write: a Locust user with websocket-client, every message parsed and fired as an event.

plain.py PORT CONNECTIONS SECONDS        prints its figures as JSON
"""

import locust  # noqa: F401, I001 - must patch before anything else is imported

import json
import logging
import os
import sys
import time

import gevent
import websocket
from figures import Figures
from locust import User, constant, task
from locust.env import Environment
from locust.event import Events

from capacity.loadgen.wire.process_limits import raise_descriptor_limit

SETTLE_S = 2.0


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


def measure(port: int, connections: int, seconds: float) -> Figures:
    PlainSubscriber.port = port
    environment = Environment(user_classes=[PlainSubscriber], events=Events())
    runner = environment.create_local_runner()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    runner.start(connections, spawn_rate=connections)
    with gevent.Timeout(90):
        while PlainSubscriber.open_connections < connections:
            gevent.sleep(0.01)
    PlainSubscriber.figures.opened(connections, began_s, began_cpu_s)
    gevent.sleep(SETTLE_S)
    PlainSubscriber.figures.begin()
    gevent.sleep(seconds)
    PlainSubscriber.figures.end(PlainSubscriber.open_connections)
    return PlainSubscriber.figures


if __name__ == "__main__":
    logging.getLogger("locust.runners").setLevel(logging.ERROR)  # Yes, we want that spawn rate.
    raise_descriptor_limit()
    port_text, connections_text, seconds_text = sys.argv[1:]
    measure(int(port_text), int(connections_text), float(seconds_text)).print()
    os._exit(0)  # Thousands of greenlets need no goodbye.
