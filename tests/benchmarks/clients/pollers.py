"""Pollers of one kind, each on a connection of its own, in one Locust process.

pollers.py ours|plain PORT POLLERS RATE SECONDS        prints its figures as JSON

`plain` is what people write with Locust: a FastHttpUser and a wait time. `ours` is the Poller, from
the stage's order to the report. RATE is for all pollers together; "most" lets every poller ask
again as soon as it has its answer.
"""

from locust import FastHttpUser, constant, constant_throughput, task
from locust.env import Environment
from locust.event import Events

import json
import logging
import os
import sys
import time

import gevent

from capacity.domain.histogram import Histogram
from capacity.loadgen.client.poller import Poller
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages
from capacity.loadgen.wire.process_limits import raise_descriptor_limit

SETTLE_S = 1.5
MOST_PER_S = 1e6
PATH = "/api/v2/public/ticker?instrument_name=BTC-PERPETUAL"
DIALECT = {
    "dialect": 1,
    "name": "responder",
    "ws": {"url": "{scheme}://{host}:{port}/"},
    "http": {"base": "{scheme}://{host}:{port}/api/v2"},
    "channels": {"ticker": {"wire": "ticker"}},
    "data": {"where": {}},
    "rest": {"ticker": {"path": "/public/ticker", "query": {"instrument_name": "{symbol}"}}},
}


class PlainPoller(FastHttpUser):
    @task
    def poll(self) -> None:
        self.client.get(PATH, name="ticker")


class OurPoller(Poller):
    pass


class Plain:
    def __init__(self, port: int, pollers: int, rate_per_s: float) -> None:
        PlainPoller.host = f"http://127.0.0.1:{port}"
        is_most = rate_per_s == MOST_PER_S
        PlainPoller.wait_time = (
            constant(0) if is_most else constant_throughput(rate_per_s / pollers)
        )
        environment = Environment(user_classes=[PlainPoller], events=Events())
        self._stats = environment.stats
        self._runner = environment.create_local_runner()
        self._runner.start(pollers, spawn_rate=pollers)

    def begin(self) -> None:
        self._stats.reset_all()

    def end(self) -> tuple[int, int, float, float]:
        total = self._stats.total
        quantiles = [total.get_response_time_percentile(q) / 1000 for q in (0.5, 0.99)]
        return total.num_requests - total.num_failures, total.num_failures, *quantiles


class Ours:
    def __init__(self, port: int, pollers: int, rate_per_s: float) -> None:
        environment = Environment(user_classes=[OurPoller], events=Events())
        runner = environment.create_local_runner()
        OurPoller.fixed_count = pollers
        self._worker = Worker(environment)
        self.begin()
        runner.register_message(messages.COUNTS, self._count)
        orders = {
            "target": {
                "target": 1,
                "name": "responder",
                "host": "127.0.0.1",
                "port": port,
                "dialect": "responder",
                "channels": ["ticker"],
                "symbols": ["BTC-PERPETUAL"],
                "rest": {"operation": "ticker"},
                "source_addresses": (),
            },
            "dialect": DIALECT,
            "poll_interval_s": 1.0 if rate_per_s == MOST_PER_S else pollers / rate_per_s,
        }
        runner.send_message(messages.BEGIN, orders)
        stage = {
            "index": 0,
            "phase": "plateau",
            "subscriptions_per_connection": 0,
            "requests_per_s": rate_per_s,
            "connects_per_s": 100.0,
        }
        runner.send_message(messages.STAGE, stage)
        runner.start(pollers, spawn_rate=pollers)

    def begin(self) -> None:
        if self._worker.clients is not None:
            self._worker._report(is_final=False)
        self._polls, self._failures, self._latencies = 0, 0, Histogram()

    def end(self) -> tuple[int, int, float, float]:
        self._worker._report(is_final=False)
        quantiles = [self._latencies.quantile_us(q) / 1e6 for q in (0.5, 0.99)]
        return self._polls, self._failures, *quantiles

    def _count(self, msg, **_kwargs) -> None:
        self._polls += msg.data["requests"]
        msg.data["failures"].pop("request_dropped", 0)  # More is asked for than there is.
        self._failures += sum(msg.data["failures"].values())
        self._latencies.merge(msg.data["histograms"].get("request_latency", {}))


def measure(kind: str, port: int, pollers: int, rate_per_s: float, seconds: float) -> None:
    client = {"ours": Ours, "plain": Plain}[kind](port, pollers, rate_per_s)
    gevent.sleep(SETTLE_S)
    client.begin()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    gevent.sleep(seconds)
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    polls, failures, p50_s, p99_s = client.end()
    figures = {
        "polls_per_s": polls / took_s,
        "failures": failures,
        "cpu_us_per_poll": cpu_s * 1e6 / max(1, polls),
        "cpu_cores": cpu_s / took_s,
        "latency_p50_ms": p50_s * 1000,
        "latency_p99_ms": p99_s * 1000,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    logging.getLogger("locust.runners").setLevel(logging.ERROR)  # Yes, we want that spawn rate.
    raise_descriptor_limit()
    kind, port, pollers, rate, seconds = sys.argv[1:]
    rate_per_s = MOST_PER_S if rate == "most" else float(rate)
    measure(kind, int(port), int(pollers), rate_per_s, float(seconds))
    os._exit(0)
