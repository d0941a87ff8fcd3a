"""What ends a storm drill, and what is only told of it.

Queues that overflow, throttling, segments sent again and refusals are what a storm does to a target;
they pass with it, and how far they go is what is asked. A limit that fills, memory that runs short,
clients lost that were not cut, and a process that ended are harm.
"""

from collections.abc import Sequence

from capacity.domain.resources import Limit
from capacity.domain.sample import Sample
from capacity.planning.safety.guards import dead, full, hurrying, losing, overflow
from capacity.planning.safety.share_guards import share_readings, whose_segments
from capacity.planning.safety.trip import RECENT_SAMPLES, Bounds, Trip
from capacity.settings.profile import Profile, ProfileGuards

_HARM = "memory pressure"


class DrillGuard:
    def __init__(self, profile: Profile, limits: Sequence[Limit], pids: Sequence[int] = ()) -> None:
        """Take the bounds of the *profile*, or the default ones: no drill goes unguarded."""
        self._bounds = Bounds(**(profile.guards or ProfileGuards()).model_dump())
        self._limits = limits
        self._pids = pids

    def harm(
        self, samples: Sequence[Sample], since: int, lost: int, connections: int
    ) -> Trip | None:
        """Return why the drill has to end, None while it may go on.

        It began behind sample number *since*; *lost* of those were ended that stayed, of
        *connections* before the cut.
        """
        return (
            dead(samples, self._pids, connections)
            or losing(lost, connections, self._bounds)
            or (full(samples, self._limits, self._bounds.used_ratio) if samples else None)
            or hurrying(samples[since:], self._limits)
            or next((trip for trip in self._shares(samples, since) if trip.guard == _HARM), None)
        )

    def signs(self, samples: Sequence[Sample], since: int) -> tuple[str, ...]:
        """Return in words what the drill did to the target beside making it work."""
        if not samples:
            return ()
        overflowed = overflow(samples[max(0, since - 1)], samples[-1])
        found = [trip for trip in self._shares(samples, since) if trip.guard != _HARM]
        return tuple(trip.statement for trip in (overflowed, *found) if trip is not None)

    def _shares(self, samples: Sequence[Sample], since: int) -> list[Trip]:
        if not samples:
            return []
        oldest = max(0, since - 1, len(samples) - 1 - RECENT_SAMPLES)
        span = (samples[oldest], samples[-1])
        readings = share_readings(span, self._limits, self._bounds, whose_segments(samples))
        return [reading for reading in readings if reading.number > reading.bound]
