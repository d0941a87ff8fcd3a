"""What one worker saw since it last reported, tagged with the step and phase it belongs to.

Counts are taken on the worker under the tag that is current there: cutting steps out of the
master's cumulative statistics would smear every step's edge over a report interval.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from capacity.domain.histogram import Histogram
from capacity.domain.words import printable
from capacity.loadgen.protocol.folding import folded
from capacity.workload.order_cycle import OPERATIONS

SERIES = (
    "delivery_delay",
    "arrival_delay",
    "queueing",
    "request_latency",
    "body_age",
    "handshake_time",
    "lifetime",
    "lag",
)
"""Histograms that the counters keep, in microseconds."""
PHASES = ("dns", "tcp", "proxy", "tls", "upgrade", "subscription", "first_data")
"""Of opening a connection, in this order; each has a histogram as well."""
POLL_PHASES = PHASES[:4]
"""Of opening a connection for polls."""

ORDER_KINDS = tuple(
    f"{operation}_{way}" for operation in OPERATIONS for way in ("rest", "websocket")
)
"""Of requests about orders; each has a histogram as well, of those answered or refused."""
OUTCOMES = ("answered", "refused", "unknown", "not_sent")
"""Of such a request."""

OPENING_FAILURES = ("connect_", "handshake_", "tls_", "proxy_")
"""How the reasons begin for which a target, or what is before it, lets nobody in."""
LOGIN_REFUSED = "handshake_opening_refused"
"""The reason of those whom the target does not let log in."""
MOST_EXAMPLES = 3
MOST_CLASSES = 12
FOLD_FROM = 1000
"""Durations of one kind that are worth folding between reports."""


def series_of(phase: str) -> str:
    """Return the name of the histogram of one of PHASES."""
    return f"opening_{phase}"


def poll_series_of(phase: str) -> str:
    """Return the name of the histogram of one of POLL_PHASES."""
    return f"request_opening_{phase}"


def order_series_of(kind: str) -> str:
    """Return the name of the histogram of one of ORDER_KINDS."""
    return f"order_latency_{kind}"


def order_count_of(kind: str, outcome: str) -> str:
    """Return the name of the count of one of ORDER_KINDS that ended in one of OUTCOMES."""
    return f"order_{kind}_{outcome}"


@dataclass(slots=True)
class Counters:
    """Plain counters for the hot path; `take` turns them into a message and starts anew."""

    index: int = -1
    phase: str = "idle"
    since_s: float = field(default_factory=time.monotonic)
    deliveries: int = 0
    delivered_bytes: int = 0
    requests: int = 0
    not_modified: int = 0
    connects: int = 0
    lost: int = 0
    open_before_loss: int = 0
    """Most connections that were open when one was lost, itself included."""
    gaps: int = 0
    mismatched: int = 0
    """Of them, those that a checksum told which does not fit the book."""
    unmatched: int = 0
    untimed: int = 0
    unnumbered: int = 0
    """Updates of which nothing says what is missing before them."""
    unmatched_by: dict[str, int] = field(default_factory=dict)
    """Class of what was not understood -> how often: no rule for it, not JSON, ..."""
    expired: int = 0
    """Connections that the target ended at the age at which it ends all, whatever the load."""
    followers: int = 0
    """Connections that were open for the whole plateau and followed a channel; the next three likewise."""
    unserved: int = 0
    """Of them, those without an update while others on the same channels had theirs."""
    pinged: int = 0
    """Connections that had brought nothing by the middle of the plateau, and were asked whether they live; all of them
    where one of the newest did not answer."""
    half_open: int = 0
    """Of them, those that did not answer, of a target that answers pings."""
    answering: int = 0
    """Answers of connections that were asked while a ramp stood still."""
    failures: dict[str, int] = field(default_factory=dict)
    delivery_delay: list[float] = field(default_factory=list)
    arrival_delay: list[float] = field(default_factory=list)
    queueing: list[float] = field(default_factory=list)
    request_latency: list[float] = field(default_factory=list)
    body_age: list[float] = field(default_factory=list)
    handshake_time: list[float] = field(default_factory=list)
    lifetime: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    opening: dict[str, list[float]] = field(default_factory=lambda: {phase: [] for phase in PHASES})
    """Microseconds by phase."""
    request_opening: dict[str, list[float]] = field(
        default_factory=lambda: {phase: [] for phase in POLL_PHASES}
    )
    """Likewise, of the connections that polls were made on."""
    orders: dict[str, int] = field(default_factory=dict)
    """Requests of traders by kind and outcome."""
    order_latency: dict[str, list[float]] = field(default_factory=dict)
    """Microseconds by kind."""
    pushed_versions: list[tuple[float, float, int]] = field(default_factory=list)
    """Of the instrument that is watched: arrived (on the target's clock), published, version."""
    polled_versions: list[tuple[float, int, float]] = field(default_factory=list)
    """Arrived (on the target's clock), version, seconds that the poll took."""
    examples: list[str] = field(default_factory=list)
    """What was wrong with the first frames since the last report that were not understood, refused
    a request or could not be numbered."""
    said: list[str] = field(default_factory=list)
    """Why the target refused or ended connections, in its own words, each text once."""
    refused_logins: list[int] = field(default_factory=list)
    """Numbers of the first clients whose login was refused."""
    _folded: dict[str, Histogram] = field(default_factory=dict)

    def note_lag(self, late_us: int) -> None:
        """Note how late a timer was, and take the occasion to fold what has piled up."""
        self.lag.append(late_us)
        self.fold()

    def note_unmatched(self, problem: str) -> None:
        self.unmatched += 1
        kind = problem.partition(": ")[0]
        if kind in self.unmatched_by or len(self.unmatched_by) < MOST_CLASSES:
            self.unmatched_by[kind] = self.unmatched_by.get(kind, 0) + 1
        self.note_example(problem)

    def note_example(self, problem: str) -> None:
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(printable(problem))

    def note_said(self, text: str) -> None:
        if len(self.said) < MOST_EXAMPLES and text not in self.said:
            self.said.append(text)

    def note_refused_login(self, number: int) -> None:
        if len(self.refused_logins) < MOST_EXAMPLES and number not in self.refused_logins:
            self.refused_logins.append(number)

    def fail(self, reason: str, count: int = 1) -> None:
        self.failures[reason] = self.failures.get(reason, 0) + count

    def note_order(self, kind: str, outcome: str, latency_us: float | None) -> None:
        """Note what became of one request of a trader, and when its answer came if one did."""
        name = order_count_of(kind, outcome)
        self.orders[name] = self.orders.get(name, 0) + 1
        if latency_us is not None:
            self.order_latency.setdefault(kind, []).append(latency_us)

    def fold(self, least: int = FOLD_FROM) -> None:
        """Put the durations into histograms, of each series that has at least so many.

        A report's worth at once would hold up the connections for tens of milliseconds.
        """
        for series, values in self._durations():
            if len(values) >= least:
                self._folded.setdefault(series, Histogram()).merge(folded(values))
                values.clear()

    def _durations(self) -> Iterator[tuple[str, list[float]]]:
        for name in SERIES:
            yield name, getattr(self, name)
        for phase, values in self.opening.items():
            yield series_of(phase), values
        for phase, values in self.request_opening.items():
            yield poll_series_of(phase), values
        for kind, values in self.order_latency.items():
            yield order_series_of(kind), values

    def take(self, now_s: float) -> dict[str, Any]:
        """Return everything since the last call as plain msgpack data, and clear it."""
        report: dict[str, Any] = {
            "index": self.index,
            "phase": self.phase,
            "seconds": now_s - self.since_s,
            **{name: getattr(self, name) for name in COUNTS},
            "open_before_loss": self.open_before_loss,
            "unmatched_by": self.unmatched_by,
            "failures": self.failures,
            "orders": self.orders,
            "pushed_versions": self.pushed_versions,
            "polled_versions": self.polled_versions,
            "examples": self.examples,
            "said": self.said,
            "refused_logins": self.refused_logins,
        }
        self.fold(least=1)
        report["histograms"] = {name: folded.counts for name, folded in self._folded.items()}
        self._folded = {}
        for name in COUNTS:
            setattr(self, name, 0)
        self.unmatched_by = {}
        self.failures, self.examples, self.said, self.open_before_loss = {}, [], [], 0
        self.refused_logins = []
        self.orders, self.pushed_versions, self.polled_versions = {}, [], []
        self.since_s = now_s
        return report

    def turn_to(self, index: int, phase: str) -> None:
        self.index, self.phase = index, phase


COUNTS = (
    "deliveries",
    "delivered_bytes",
    "requests",
    "not_modified",
    "connects",
    "lost",
    "gaps",
    "mismatched",
    "unmatched",
    "untimed",
    "unnumbered",
    "expired",
    "followers",
    "unserved",
    "pinged",
    "half_open",
    "answering",
)
"""Counters that are summed over workers."""
