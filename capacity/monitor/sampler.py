"""One sample: all collectors, merged, with a reason for each that had nothing."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from capacity.domain.resources import APPLICATION, AuditEntry, Limit
from capacity.domain.sample import Sample
from capacity.monitor.clock import SteadyClock
from capacity.monitor.collector_costs import CollectorCosts
from capacity.monitor.collectors.base import HostCollector, TargetCollector
from capacity.monitor.host.target import Target, TargetView
from capacity.monitor.readings import READ_ERRORS, Reading, reason_of

_LIMITS_S = 30.0
FRESH_S = 1.0
"""Limits read so long ago are those of now: who asks more often costs no more."""


class Sampler:
    """Reads the target for every sample, and its limits twice a minute, after a restart and when asked."""

    def __init__(
        self,
        target: Target,
        target_collectors: list[TargetCollector],
        host_collectors: list[HostCollector],
        audit: Callable[[TargetView], tuple[AuditEntry, ...]] = lambda _view: (),
        listening_ports: Callable[[], tuple[int, ...] | None] = lambda: None,
    ) -> None:
        self._target = target
        self._target_collectors = target_collectors
        self._host_collectors = host_collectors
        self._audit = audit
        self.listening_ports = listening_ports
        """Where the target listens at the moment; None where that is not known."""
        self._costs = CollectorCosts()
        self.clock = SteadyClock()
        self._limits: dict[object, Limit] = {}
        self._limits_due_at_s = 0.0
        self._limits_read_at_s = float("-inf")
        self._reading = threading.Lock()
        self._limits_of: float | None = None
        self._seq = 0
        self._read_at_s = time.monotonic()
        self.view: TargetView | None = None
        """The target as last seen; kept while it is gone."""
        self.audit: tuple[AuditEntry, ...] = ()
        """Read with the limits; that of the target as last seen."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(self._limits.values())

    def prime(self) -> None:
        """Read everything once and drop it, so that the first sample has its rates."""
        self.sample()
        self._seq = 0

    def sample(self) -> Sample:
        """Take one reading of all collectors."""
        with self._reading:
            return self._sample()

    def refresh_limits(self) -> None:
        """Read the limits and their audit anew, unless that was just done; from any thread.

        A limit that is raised right before a run, or changed in it, is told to who asks for it then.
        """
        with self._reading:
            if time.monotonic() - self._limits_read_at_s <= FRESH_S:
                return
            view = self._target.view()
            self._refresh_limits(view)
            if view is None:
                return
            self._refresh_audit(view)
            for collector in self._target_collectors:
                if collector.tells_limits_with_usage:
                    self._note(self._read(collector, _on(collector, view)).limits)

    def _sample(self) -> Sample:
        view = self._target.view()
        self.view = view or self.view
        is_limits_due = self._are_limits_due(view)
        if is_limits_due:
            self._refresh_limits(view)
        readings = [self._read(collector, collector.collect) for collector in self._host_collectors]
        for collector in self._target_collectors:
            if view is None:
                why = self._target.missing or "the target is gone"
                readings.append(Reading(missing=dict.fromkeys(collector.provides, why)))
            else:
                readings.append(self._read(collector, _on(collector, view)))
        if is_limits_due and view is not None:
            self._refresh_audit(view)
        readings.append(Reading(gauges={**self._costs.gauges(), **self._clock_gauges()}))
        now_s = time.monotonic()
        interval_s, self._read_at_s = now_s - self._read_at_s, now_s
        self._seq += 1
        for reading in readings:
            self._note(reading.limits)
        return Sample(
            seq=self._seq,
            at=self.clock.now(),
            interval_s=interval_s,
            used={key: value for reading in readings for key, value in reading.used.items()},
            gauges={key: value for reading in readings for key, value in reading.gauges.items()},
            counters={
                key: value for reading in readings for key, value in reading.counters.items()
            },
            missing={key: why for reading in readings for key, why in reading.missing.items()},
            target_started_at=None if view is None else view.started_at,
            memory=next((reading.memory for reading in readings if reading.memory), None),
        )

    def _are_limits_due(self, view: TargetView | None) -> bool:
        started_at = None if view is None else view.started_at
        is_restarted = started_at is not None and started_at != self._limits_of
        return is_restarted or time.monotonic() >= self._limits_due_at_s

    def _refresh_limits(self, view: TargetView | None) -> None:
        """Read all limits. A collector says itself which is unknown; one that raises lost its process."""
        self._limits_read_at_s = time.monotonic()
        self._limits_due_at_s = self._limits_read_at_s + _LIMITS_S
        for collector in self._host_collectors:
            with self._costs.of(collector), suppress(*READ_ERRORS):
                self._note(collector.limits())
        if view is not None:
            self._limits_of = view.started_at
            # Another program, or a changed configuration, may have none or others.
            self._limits = {
                key: limit for key, limit in self._limits.items() if limit.scope != APPLICATION
            }
            for target_collector in self._target_collectors:
                with self._costs.of(target_collector), suppress(*READ_ERRORS):
                    self._note(target_collector.limits(view))

    def _refresh_audit(self, view: TargetView) -> None:
        with self._costs.of(self), suppress(*READ_ERRORS):  # It may end at any moment.
            self.audit = self._audit(view)

    def _read(
        self, collector: HostCollector | TargetCollector, collect: Callable[[], Reading]
    ) -> Reading:
        with self._costs.of(collector):
            try:
                return collect()
            except READ_ERRORS as error:
                return Reading(missing=dict.fromkeys(collector.provides, reason_of(error)))

    def _clock_gauges(self) -> dict[str, float]:
        """Return what the host's clock was set by, for those who compare times of other sources."""
        stepped_s = self.clock.stepped_s()
        return {} if stepped_s is None else {"clock_stepped_s": stepped_s}

    def _note(self, limits: Iterable[Limit]) -> None:
        # Replaced as a whole: another thread may be reading the limits.
        new: dict[object, Limit] = {
            limit.place if limit.scope == APPLICATION else limit.resource: limit for limit in limits
        }
        self._limits = {**self._limits, **new}


def _on(collector: TargetCollector, view: TargetView) -> Callable[[], Reading]:
    return lambda: collector.collect(view)
