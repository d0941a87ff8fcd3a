"""Holds the newest samples and counts against the profile's guards (planning/guards.py)."""

import math
from collections.abc import Sequence

from capacity.domain.load import LoadStep
from capacity.domain.resources import Limit
from capacity.domain.sample import Sample
from capacity.loadgen.acceptance import breach_of
from capacity.loadgen.tally import Tally
from capacity.planning.guards import Bounds, Trip, overreaching, refusing, tripped
from capacity.settings.profile import Profile
from capacity.settings.target import Slo

LEAST_TO_STOP = 200
"""Durations of a phase; the tail of fewer ones is chance, and a run is ended by it."""
_OPENING = ("connect_", "handshake_", "tls_", "proxy_")
"""How the reasons begin for which a target, or what is before it, lets nobody in."""


class Guard:
    def __init__(self, profile: Profile, limits: Sequence[Limit], slo: Slo | None = None) -> None:
        guards = profile.guards
        self._bounds = Bounds(**guards.model_dump()) if guards is not None else None
        self._poll_interval_s = profile.poll_interval_s
        self._limits = limits
        self._slo = slo
        self._unloaded = 0
        self._since = 0

    def trip(
        self, samples: Sequence[Sample], tally: Tally, *, is_loaded: bool, is_leaving: bool
    ) -> Trip | None:
        """Return what a run's *samples*, or the counts of its present phase, trip.

        Until it *is_loaded* for the first time, what is seen is not the load's doing; nor does it
        count while a crowd *is_leaving*, whose last segments find nobody and are sent again.
        """
        if self._bounds is None:
            return None
        if not is_loaded:
            self._unloaded = len(samples)
            return None
        if is_leaving:
            self._since = len(samples)
        failed = sum(
            count for reason, count in tally.failures.items() if reason.startswith(_OPENING)
        )
        return (
            refusing(failed, tally.total("connects"), self._bounds)
            or tripped(
                samples, self._limits, self._bounds, unloaded=self._unloaded, since=self._since
            )
            or self._breach(tally)
        )

    def _breach(self, tally: Tally) -> Trip | None:
        miss = breach_of(tally, self._slo, LEAST_TO_STOP) if self._slo is not None else None
        if miss is None:
            return None
        return Trip(guard="slo", number=miss.number, bound=miss.bound, statement=miss.statement)

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
        return step.connections + math.ceil(step.requests_per_s * self._poll_interval_s)
