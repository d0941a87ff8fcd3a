"""What every client of the benchmark counts, first while connecting, then after its settling time."""

import json
import time
from pathlib import Path

from capacity.domain.histogram import Histogram


class Figures:
    def __init__(self) -> None:
        self.connect_cpu_s = self.connect_s = 0.0
        self.begin()

    def opened(self, connections: int, began_s: float, began_cpu_s: float) -> None:
        """Note what opening all connections took since *began_s* (monotonic)."""
        self.connect_s = (time.monotonic() - began_s) / connections
        self.connect_cpu_s = (time.process_time() - began_cpu_s) / connections

    def begin(self) -> None:
        self.messages = self.gaps = self.connections = self.unmatched = 0
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
            "delay_p50_ms": milliseconds(self.delays, 0.5),
            "delay_p99_ms": milliseconds(self.delays, 0.99),
            "gaps": self.gaps,
            "unmatched": self.unmatched,
            "connects_per_s": 1 / self.connect_s if self.connect_s else 0.0,
            "cpu_us_per_connect": self.connect_cpu_s * 1e6,
            "memory_bytes": anonymous_bytes(),
        }
        if self.arrivals.total:
            document["arrival_p50_ms"] = self.arrivals.quantile_us(0.5) / 1000
            document["arrival_p99_ms"] = self.arrivals.quantile_us(0.99) / 1000
        print(json.dumps(document), flush=True)


def anonymous_bytes() -> int:
    """Return this process's own memory, without files and shared pages."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024


def milliseconds(delays: Histogram, q: float) -> float | None:
    return delays.quantile_us(q) / 1000 if delays.total else None
