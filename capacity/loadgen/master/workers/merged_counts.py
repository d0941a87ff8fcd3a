"""The master's side of the counters: what all workers counted under one step and phase."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from capacity.domain.histogram import Histogram
from capacity.domain.load import LoadVector
from capacity.domain.observation import OrderFigures, Quantiles
from capacity.loadgen.master.workers.private_counts import PrivateCounts
from capacity.loadgen.protocol.counters import (
    COUNTS,
    ORDER_KINDS,
    OUTCOMES,
    order_count_of,
    order_series_of,
)
from capacity.models.uncertainty.batch_means import relative_error


@dataclass(slots=True)
class MergedCounts:
    """Counts of one (step, phase), per worker, because each measured its own seconds."""

    counts: dict[str, dict[str, float]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    orders: dict[str, dict[str, int]] = field(default_factory=dict)
    """Worker -> its requests of traders by kind and outcome."""
    pushed_versions: list[tuple[float, float, int]] = field(default_factory=list)
    polled_versions: list[tuple[float, int, float]] = field(default_factory=list)
    unmatched_by: dict[str, int] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    finals: set[str] = field(default_factory=set)
    """Workers that have said all they have to say about this phase."""
    cpu_s: dict[str, float] = field(default_factory=dict)
    descriptors_ratio: float = 0.0
    open_connections: list[int] = field(default_factory=list)
    """All workers together, once a report."""
    held: dict[str, int] = field(default_factory=dict)
    """What each worker said last, in this phase, that it holds."""
    private: PrivateCounts | None = None
    """What of it the private connections counted; None where there are none."""
    delivered: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Worker -> deliveries and seconds of each of its reports."""

    def add(self, worker: str, report: Mapping[str, Any]) -> None:
        mine = self.counts.setdefault(worker, dict.fromkeys((*COUNTS, "seconds"), 0.0))
        for name in (*COUNTS, "seconds"):
            mine[name] += report.get(name, 0)
        for reason, count in report["failures"].items():
            self.failures[reason] = self.failures.get(reason, 0) + count
        orders = self.orders.setdefault(worker, {})
        for name, count in report.get("orders", {}).items():
            orders[name] = orders.get(name, 0) + count
        self.pushed_versions += report.get("pushed_versions", ())
        self.polled_versions += report.get("polled_versions", ())
        for kind, count in report["unmatched_by"].items():
            self.unmatched_by[kind] = self.unmatched_by.get(kind, 0) + count
        for series, counts in report["histograms"].items():
            self.histograms.setdefault(series, Histogram()).merge(counts)
        self.delivered.setdefault(worker, []).append((report["deliveries"], report["seconds"]))
        if (private := report.get("private")) is not None:
            self.private = self.private or PrivateCounts()
            self.private.add(private)
        self.held[worker] = report["gauges"]["open_connections"]
        used_s = report["gauges"]["cpu_ratio"] * report["seconds"]
        self.cpu_s[worker] = self.cpu_s.get(worker, 0.0) + used_s
        self.descriptors_ratio = max(self.descriptors_ratio, report["gauges"]["descriptors_ratio"])
        if report["is_final"]:
            self.finals.add(worker)

    def note_open(self, workers: Collection[str], private: int) -> None:
        """Note what all *workers* hold, once each has told, and how many of that are *private*."""
        if self.held.keys() >= set(workers):
            self.open_connections.append(sum(self.held[worker] for worker in workers))
            if self.private is not None:
                self.private.open_connections.append(private)

    @property
    def cpu_ratio(self) -> float:
        """Return the cores that the busiest worker used, averaged over the phase."""
        return max(
            (
                self.cpu_s[worker] / counts["seconds"]
                for worker, counts in self.counts.items()
                if counts["seconds"] > 0
            ),
            default=0.0,
        )

    @property
    def private_failures(self) -> dict[str, int]:
        """Those of the failures that private connections had."""
        return {} if self.private is None else self.private.failures

    def total(self, name: str) -> int:
        return int(sum(counts[name] for counts in self.counts.values()))

    def per_s(self, name: str) -> float:
        """Return the rate of a count: every worker's over its own time, added up."""
        return sum(
            counts[name] / counts["seconds"]
            for counts in self.counts.values()
            if counts["seconds"] > 0
        )

    def delivery_rate_error_ratio(self, subscriptions: int) -> float | None:
        """Return the standard error of the deliveries per second, over their mean.

        What is published reaches all workers, so that their errors add up and do not cancel; and
        each of so many *subscriptions* of all connections at once.
        """
        at_once = subscriptions / max(1, len(self.delivered))
        errors = [
            (relative_error(reports, at_once), sum(count for count, _seconds in reports))
            for reports in self.delivered.values()
        ]
        total = sum(count for _error, count in errors)
        if not total or any(error is None for error, _count in errors):
            return None
        return sum((error or 0.0) * count for error, count in errors) / total

    def quantiles(self, series: str) -> Quantiles | None:
        histogram = self.histograms.get(series)
        if histogram is None or not histogram.total:
            return None
        return Quantiles(
            count=histogram.total,
            p50_s=histogram.quantile_us(0.50) / 1e6,
            p95_s=histogram.quantile_us(0.95) / 1e6,
            p99_s=histogram.quantile_us(0.99) / 1e6,
            max_s=histogram.quantile_us(1.0) / 1e6,
        )

    def order_figures(self) -> dict[str, OrderFigures]:
        """Return what became of the requests of traders, by kind; of those that were made."""
        found = {}
        for kind in ORDER_KINDS:
            counts = {
                outcome: sum(
                    orders.get(order_count_of(kind, outcome), 0) for orders in self.orders.values()
                )
                for outcome in OUTCOMES
            }
            if any(counts.values()):
                latency = self.quantiles(order_series_of(kind))
                found[kind] = OrderFigures(**counts, latency=latency)
        return found

    def orders_per_s(self) -> float:
        """Return the rate at which requests of traders were answered, refusals included."""
        told = {order_count_of(kind, outcome) for kind in ORDER_KINDS for outcome in OUTCOMES[:2]}
        return sum(
            sum(count for name, count in orders.items() if name in told)
            / self.counts[worker]["seconds"]
            for worker, orders in self.orders.items()
            if self.counts[worker]["seconds"] > 0
        )

    def load(self) -> LoadVector | None:
        """Return the measured load; None when no connections were ever reported."""
        if not self.open_connections:
            return None
        return LoadVector(
            connections=sum(self.open_connections) / len(self.open_connections),
            deliveries_per_s=self.per_s("deliveries"),
            delivered_bytes_per_s=self.per_s("delivered_bytes"),
            requests_per_s=self.per_s("requests"),
            handshakes_per_s=self.per_s("connects"),
            orders_per_s=self.orders_per_s(),
        )
