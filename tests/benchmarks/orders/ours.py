"""The OrderTrader as a run has it, down to the histograms that a worker sends.

ours.py PORT TRADERS INTERVAL_MS SECONDS SETTLE_S      prints the histograms of each second, by way
"""

import locust  # noqa: F401, I001 - must patch before anything else is imported

import json
import os
import sys
import time

import gevent
from locust.env import Environment
from locust.event import Events

from capacity.domain.histogram import Histogram
from capacity.loadgen.client.order_trader import OrderTrader
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages
from capacity.settings.dialect import dump, load_dialect
from capacity.settings.locate import find

WAYS = ("websocket", "rest")
ACCOUNT = {"client_id": "me", "client_secret": "s", "amount": 10, "price": 1, "amended_price": 2}


class Dealer(OrderTrader):
    weight = 0


def orders_for(port: int) -> dict[str, object]:
    return {
        "target": {
            "target": 1,
            "name": "venue",
            "host": "127.0.0.1",
            "port": port,
            "dialect": "deribit",
            "channels": ["ticker"],
            "symbols": ["BTC-PERPETUAL"],
            "source_addresses": [],
            "orders": {"over": list(WAYS), "answer_timeout_s": 5.0, "values": ACCOUNT},
        },
        "dialect": dump(load_dialect(find("dialects", "deribit"))),
    }


def main() -> None:
    port, traders = int(sys.argv[1]), int(sys.argv[2])
    interval_s, seconds, settle_s = float(sys.argv[3]) / 1e3, float(sys.argv[4]), float(sys.argv[5])
    Dealer.fixed_count = traders
    environment = Environment(user_classes=[Dealer], events=Events())
    runner = environment.create_local_runner()
    worker = Worker(environment)
    found: dict[str, Histogram] = {}
    failures: dict[str, int] = {}

    def take(msg, **_kwargs):
        for series, counts in msg.data["histograms"].items():
            if series.startswith("order_latency_"):
                way = series.rpartition("_")[2]
                found.setdefault(way, Histogram()).merge(counts)
        for reason, count in msg.data["failures"].items():
            failures[reason] = failures.get(reason, 0) + count

    runner.register_message(messages.COUNTS, take)
    runner.send_message(messages.BEGIN, orders_for(port))
    stage = {
        "index": 0,
        "phase": "plateau",
        "subscriptions_per_connection": 0,
        "requests_per_s": 0.0,
        "connects_per_s": 1e6,
        "orders_per_s": traders / interval_s,
    }
    runner.send_message(messages.STAGE, stage)
    runner.start(traders, spawn_rate=traders)
    gevent.sleep(settle_s)
    worker._report(is_final=False)
    found.clear()
    failures.clear()
    windows = []
    for _ in range(round(seconds)):
        began_s = time.monotonic()
        gevent.sleep(1.0)
        worker._report(is_final=False)
        counts = {way: histogram.counts for way, histogram in found.items()}
        windows.append({"began_s": began_s, "ended_s": time.monotonic(), "histograms": counts})
        found.clear()
    print(json.dumps({"windows": windows, "failed": failures}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
