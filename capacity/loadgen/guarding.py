"""Holds the newest samples and counts against the profile's guards (planning/guards.py)."""

from collections.abc import Sequence

from capacity.domain.resources import Limit
from capacity.domain.sample import Sample
from capacity.loadgen.tally import Tally
from capacity.planning.guards import Bounds, Trip, refusing, tripped
from capacity.settings.profile import ProfileGuards

_OPENING = ("connect_", "handshake_", "tls_", "proxy_")
"""How the reasons begin for which a target, or what is before it, lets nobody in."""


class Guard:
    def __init__(self, settings: ProfileGuards | None, limits: Sequence[Limit]) -> None:
        self._bounds = Bounds(**settings.model_dump()) if settings is not None else None
        self._limits = limits

    def trip(self, samples: Sequence[Sample], tally: Tally) -> Trip | None:
        """Return what a run's *samples*, or the counts of its present phase, trip."""
        if self._bounds is None:
            return None
        failed = sum(
            count for reason, count in tally.failures.items() if reason.startswith(_OPENING)
        )
        return refusing(failed, tally.total("connects"), self._bounds) or tripped(
            samples, self._limits, self._bounds
        )
