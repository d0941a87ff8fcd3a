"""What one worker saw since it last reported, tagged with the step and phase it belongs to.

Counts are taken on the worker under the tag that is current there: cutting steps out of the
master's cumulative statistics would smear every step's edge over a report interval.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from capacity.domain.histogram import Histogram

SERIES = ("delivery_delay", "arrival_delay", "queueing", "request_latency", "handshake_time", "lag")
"""Histograms that a ledger keeps, in microseconds."""


@dataclass(slots=True)
class Ledger:
    """Plain counters for the hot path; `take` turns them into a message and starts anew."""

    index: int = -1
    phase: str = "idle"
    since_s: float = field(default_factory=time.monotonic)
    deliveries: int = 0
    delivered_bytes: int = 0
    requests: int = 0
    connects: int = 0
    lost: int = 0
    gaps: int = 0
    unmatched: int = 0
    untimed: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    delivery_delay: list[int] = field(default_factory=list)
    arrival_delay: list[int] = field(default_factory=list)
    queueing: list[int] = field(default_factory=list)
    request_latency: list[int] = field(default_factory=list)
    handshake_time: list[int] = field(default_factory=list)
    lag: list[int] = field(default_factory=list)

    def note_lag(self, late_us: int) -> None:
        self.lag.append(late_us)

    def fail(self, reason: str, count: int = 1) -> None:
        self.failures[reason] = self.failures.get(reason, 0) + count

    def take(self, now_s: float) -> dict[str, Any]:
        """Return everything since the last call as plain msgpack data, and clear it."""
        report: dict[str, Any] = {
            "index": self.index,
            "phase": self.phase,
            "seconds": now_s - self.since_s,
            **{name: getattr(self, name) for name in COUNTS},
            "failures": self.failures,
            "histograms": {},
        }
        for name in SERIES:
            values = getattr(self, name)
            if values:
                histogram = Histogram()
                histogram.add_all(values)
                report["histograms"][name] = histogram.counts
                setattr(self, name, [])
        for name in COUNTS:
            setattr(self, name, 0)
        self.failures = {}
        self.since_s = now_s
        return report

    def turn_to(self, index: int, phase: str) -> None:
        self.index, self.phase = index, phase


COUNTS = (
    "deliveries",
    "delivered_bytes",
    "requests",
    "connects",
    "lost",
    "gaps",
    "unmatched",
    "untimed",
)
"""Counters that are summed over workers."""
