"""What every client of the benchmark counts after its settling time, and how it says it."""

import json
import time

from capacity.domain.histogram import Histogram


class Figures:
    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.messages = self.gaps = self.connections = 0
        self.delays, self.arrivals = Histogram(), Histogram()
        self.cpu_s, self.at_s = time.process_time(), time.monotonic()

    def end(self, connections: int) -> None:
        self.connections = connections
        self.cpu_s = time.process_time() - self.cpu_s
        self.at_s = time.monotonic() - self.at_s

    def print(self) -> None:
        document = {
            "connections": self.connections,
            "messages_per_s": self.messages / self.at_s,
            "cpu_us_per_message": self.cpu_s * 1e6 / max(1, self.messages),
            "cpu_cores": self.cpu_s / self.at_s,
            "delay_p50_ms": self.delays.quantile_us(0.5) / 1000,
            "delay_p99_ms": self.delays.quantile_us(0.99) / 1000,
            "gaps": self.gaps,
        }
        if self.arrivals.total:
            document["arrival_p50_ms"] = self.arrivals.quantile_us(0.5) / 1000
            document["arrival_p99_ms"] = self.arrivals.quantile_us(0.99) / 1000
        print(json.dumps(document), flush=True)
