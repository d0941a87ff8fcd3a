"""Churn at a constant population for an hour: does a worker grow?

`make soak MINUTES=60` prints the figures as JSON. 200 connections to the bundled exchange, each closed
after a few seconds and opened again; memory and descriptors are read after a warm-up and at the end.
"""

import locust  # noqa: F401 - must patch before anything else is imported

import gc
import json
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import gevent

from capacity.cli.running.bundled import start_bundled_target
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.connection_slot import ConnectionSlot
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.settings import dialect as dialect_settings
from capacity.settings.locate import find
from capacity.settings.target import load_target

CONNECTIONS = 200
HELD_S = (2.0, 6.0)
UPDATES_PER_S = 5
REPORT_INTERVAL_S = 0.5
WARM_UP_S = 10.0
"""Every connection has been closed and opened again, and every buffer has found its size."""


class Soak:
    """One worker's clients without the worker: nobody sends its reports, but they are made."""

    def __init__(self, target_file: Path) -> None:
        target = load_target(target_file)
        dialect = dialect_settings.load_dialect(find("dialects", target.dialect))
        dumped = dialect_settings.dump(dialect)
        self.clients = Clients(
            RunInstructions(target=target.model_dump(mode="json"), dialect=dumped)
        )
        stage = {"index": 0, "phase": "plateau", "subscriptions_per_connection": 2}
        self.clients.turn_to(Stage(**stage, requests_per_s=0.0, connects_per_s=1000.0))
        self.connects = self.deliveries = self.lost = 0
        self.failures: dict[str, int] = {}
        self._greenlets = [gevent.spawn(self._report_forever)]

    def start(self) -> None:
        for slot in self.clients.join(CONNECTIONS, lambda: None):
            self._greenlets.append(gevent.spawn(self._come_and_go, slot))

    def close(self) -> None:
        gevent.killall(self._greenlets)
        self.clients.close()

    def _come_and_go(self, slot: ConnectionSlot) -> None:
        while True:
            try:
                slot.open()
            except HandshakeError as error:
                self.clients.counters.fail(str(error))
            gevent.sleep(random.uniform(*HELD_S))
            slot.close()

    def _report_forever(self) -> None:
        while True:
            gevent.sleep(REPORT_INTERVAL_S)
            report = self.clients.counters.take(time.monotonic())
            self.connects += report["connects"]
            self.deliveries += report["deliveries"]
            self.lost += report["lost"]
            for reason, count in report["failures"].items():
                self.failures[reason] = self.failures.get(reason, 0) + count


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors_beside(soak: Soak) -> int:
    """Return how many descriptors are open that no open connection has."""
    return len(list(Path("/proc/self/fd").iterdir())) - len(soak.clients.connections)


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        options = ["--updates-per-s", str(UPDATES_PER_S)]
        soak = Soak(start_bundled_target(stack, Path(directory), options, {"channels": ["book"]}))
        stack.callback(soak.close)
        soak.start()
        gevent.sleep(WARM_UP_S)
        before_bytes, descriptors = resident_bytes(), descriptors_beside(soak)
        connects = soak.connects
        gevent.sleep(seconds)
        after_bytes = resident_bytes()
        figures = {
            "seconds": seconds,
            "connections": len(soak.clients.connections),
            "reopened": soak.connects - connects,
            "deliveries": soak.deliveries,
            "lost": soak.lost,
            "failures": soak.failures,
            "resident_bytes_before": before_bytes,
            "resident_bytes_after": after_bytes,
            "grown_bytes": after_bytes - before_bytes,
            "grown_bytes_per_reopened": (after_bytes - before_bytes) / (soak.connects - connects),
            "grown_descriptors": descriptors_beside(soak) - descriptors,
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(float(sys.argv[1]) * 60 if len(sys.argv) > 1 else 3600.0)
