"""Holds the newest samples and counts against the profile's guards (planning/safety/guards.py)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from capacity.domain import units
from capacity.domain.histogram import Histogram
from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import Sample
from capacity.loadgen.master.guards.acceptance import breach_of
from capacity.loadgen.master.guards.blame import private_clause, refusals_in, told
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.planning.evidence.saturated_steps import SERVED_RATIO
from capacity.planning.safety.guards import (
    LEAST_LOST,
    dead,
    exit_clause,
    hurrying,
    losing,
    overreaching,
    refusing,
    tripped,
)
from capacity.planning.safety.trip import Bounds, Trip
from capacity.settings.profile import Profile
from capacity.settings.targets.slo import Slo
from capacity.workload.profiles.profile import whole_users

LEAST_TO_STOP = 200
"""Durations of a phase; the tail of fewer ones is chance, and a run is ended by it."""
EASED = frozenset({"overflow", "throttling", "slo", "retransmission", "memory pressure"})
"""Guards that arrivals trip by themselves: a slower ramp is tried before the run ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a run does when its guards look."""

    merged: MergedCounts
    """Of the present phase."""
    connections: int
    """Most that were open in this step."""
    admitted: int | None = None
    """Those of them that the target let in: without those that it refused behind their upgrade."""
    is_loaded: bool
    """There is load, or was."""
    is_leaving: bool
    """A crowd leaves: its last segments find nobody and are sent again."""
    lost_before: int = 0
    """Connections that the target ended in the step's earlier phases."""
    refused_by: Mapping[str, int] = field(default_factory=dict)
    """Failures of the step by reason, once a worker has given up opening more; else empty."""


class Guard:
    def __init__(
        self,
        profile: Profile,
        limits: Sequence[Limit],
        slo: Slo | None = None,
        pids: Sequence[int] = (),
    ) -> None:
        guards = profile.guards
        self._bounds = Bounds(**guards.model_dump()) if guards is not None else None
        self._poll_interval_s = profile.poll_interval_s
        self._order_interval_s = profile.order_interval_s
        self._connections_per_user = profile.connections_per_user
        self._limits = limits
        self._slo = slo
        self._pids = pids
        self._unloaded = 0
        self._since = 0
        self._forgiven = 0
        self._answered: dict[str, Histogram] = {}

    def trip(self, samples: Sequence[Sample], moment: Moment) -> Trip | None:
        """Return what a run's *samples*, or the counts of its present phase, trip.

        Until a run is loaded for the first time, what is seen is not the load's doing; nor does it
        count while a crowd leaves.
        """
        gone = dead(samples, self._pids, moment.connections) if moment.is_loaded else None
        if gone is not None:
            return gone
        if self._bounds is None:
            return None
        if not moment.is_loaded:
            self._unloaded = len(samples)
            return None
        if moment.is_leaving:
            self._since = len(samples)
        trip = self._tripped(samples, moment)
        if trip is None or trip.kind is not CutOffKind.LOST:
            return trip
        return replace(trip, statement=trip.statement + exit_clause(samples))

    def _tripped(self, samples: Sequence[Sample], moment: Moment) -> Trip | None:
        assert self._bounds is not None, "a profile without guards trips none"
        merged = moment.merged
        return (
            _given_up(moment)
            or _refused(moment, self._bounds)
            or losing(merged.total("lost") + moment.lost_before, moment.connections, self._bounds)
            or tripped(
                samples,
                self._limits,
                self._bounds,
                unloaded=self._unloaded,
                since=self._since,
                forgiven=self._forgiven,
            )
            or self._breach(merged)
        )

    def hurry(self, samples: Sequence[Sample]) -> Trip | None:
        """Return what grows too fast to be guarded."""
        return None if self._bounds is None else hurrying(samples[self._since :], self._limits)

    def judge_anew(self, samples: Sequence[Sample], merged: MergedCounts | None = None) -> None:
        """Take what was seen until now as answered: by a slower ramp, or because a phase is over."""
        self._since = len(samples)
        if merged is not None:
            self._forgiven = max(0, len(samples) - 1)
            self._answered = {
                series: Histogram(histogram.counts)
                for series, histogram in merged.histograms.items()
            }
        else:
            self._answered = {}

    def _breach(self, merged: MergedCounts) -> Trip | None:
        if self._slo is None:
            return None
        new = {
            series: _less(histogram, self._answered.get(series))
            for series, histogram in merged.histograms.items()
        }
        miss = breach_of(replace(merged, histograms=new), self._slo, LEAST_TO_STOP)
        if miss is None:
            return None
        return Trip(
            guard="slo",
            number=miss.number,
            bound=miss.bound,
            statement=miss.statement,
            kind=CutOffKind.OBJECTIVE,
            resource=Resource(miss.condition),
        )

    def trip_ahead(
        self, samples: Sequence[Sample], step: LoadStep, before: LoadStep
    ) -> Trip | None:
        """Return what *step* would trip if it began after the one *before*."""
        sockets, sockets_now = self._sockets_of(step), self._sockets_of(before)
        if self._bounds is None or sockets <= sockets_now:
            return None
        return overreaching(
            samples, self._limits, self._bounds, sockets=sockets, sockets_now=sockets_now
        )

    def _sockets_of(self, step: LoadStep) -> int:
        return (
            whole_users(step.connections, self._connections_per_user)
            + math.ceil(step.requests_per_s * self._poll_interval_s)
            + math.ceil(step.orders_per_s * self._order_interval_s)
        )


def _refused(moment: Moment, bounds: Bounds) -> Trip | None:
    refusals = refusals_in(moment.merged.failures)
    trip = refusing(sum(refusals.values()), moment.merged.total("connects"), bounds)
    if trip is None:
        return None
    return replace(
        trip,
        statement=f"{trip.statement}, most by {told(refusals)}"
        f"{private_clause(moment.merged.private_failures)}, while"
        f" {_admitted(moment)} were open",
        resource=Resource.APPLICATION_CONNECTIONS,
    )


def _admitted(moment: Moment) -> str:
    count = moment.connections if moment.admitted is None else moment.admitted
    of = "" if moment.merged.private is None else " of whole clients"
    return f"{units.counted(count, 'connection')}{of}"


def _given_up(moment: Moment) -> Trip | None:
    """Return the trip of a worker that opens no more, because the target lets nobody in."""
    if not moment.refused_by:
        return None
    refusals = refusals_in(moment.refused_by)
    failed, ended = sum(refusals.values()), sum(moment.refused_by.values()) - sum(refusals.values())
    connections = units.counted(moment.connections, "connection")
    if ended >= LEAST_LOST or not refusals:
        # Who was let in and is lost came to no cap.
        return Trip(
            guard="loss",
            number=ended,
            bound=0.0,
            statement=f"the target dropped {units.count(min(ended, moment.connections))} of {connections}"
            + (f" and rejected reconnects, {told(refusals)}" if refusals else ""),
            kind=CutOffKind.LOST,
        )
    return Trip(
        guard="refusal",
        number=failed,
        bound=0.0,
        statement=f"{units.counted(failed, 'connect attempt')} failed while {_admitted(moment)} were"
        f" open, most by {told(refusals)}{private_clause(moment.merged.private_failures)}",
        kind=CutOffKind.REFUSED,
        resource=Resource.APPLICATION_CONNECTIONS,
    )


def saturated(short: CutOff) -> Trip:
    """Return the trip of a plateau on which less arrived than was due."""
    return Trip(
        guard="saturation" if short.kind is CutOffKind.SATURATED else "service",
        number=short.connections,
        bound=SERVED_RATIO,
        statement=short.statement,
        kind=short.kind,
    )


def _less(histogram: Histogram, answered: Histogram | None) -> Histogram:
    if answered is None:
        return histogram
    return Histogram(
        {
            bucket: left
            for bucket, count in histogram.counts.items()
            if (left := count - answered.counts.get(bucket, 0)) > 0
        }
    )
