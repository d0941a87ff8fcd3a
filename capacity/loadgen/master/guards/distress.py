"""What a run does about signs of distress: nothing yet, slow its arrivals down, or take the load off.

| sign                                     | ramp or settle of a careful run | plateau, or other runs |
|------------------------------------------|---------------------------------|------------------------|
| a limit would be met before it is seen   | slow down, 3 times at most      | nothing                |
| the target's process ended               | end                             | end                    |
| connections lost, or refused in a careful run | wait for the agent, then end | the same             |
| queue overflows and nobody was let in for 5 s | end: the target is full  | end                    |
| queue, quota, objective, segments, memory pressure | slow down, 3 times    | end                    |
| a limit nearly used up                   | end                             | end                    |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from capacity.domain import units
from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Resource
from capacity.domain.sample import Sample
from capacity.loadgen.master.guards.guard_watch import EASED, Guard, Moment
from capacity.planning.safety.trip import Trip
from capacity.workload.profiles.profile import Phase

MOST_EASINGS = 3
"""Times that a step's arrivals are slowed down before distress ends the run."""
EASED_RATIO = 0.25
"""What is left of the connect rate each time."""
STANDSTILL_S = 5.0
"""Nobody was let in for that long while the queue overflows: slower arrivals would not help."""
SUSPECT_S = 3.0
"""How long connections that are lost are waited with for the agent to say that the target ended."""


class Response(StrEnum):
    """What is to be done about a trip."""

    WAIT = "wait"
    SLOW_DOWN = "slow_down"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A trip, and what is to be done about it."""

    response: Response
    trip: Trip


class Distress:
    """Watches over one run's guards, and remembers what it has done about them in this step."""

    def __init__(self, guard: Guard, *, is_careful: bool, has_agent: bool) -> None:
        self._guard = guard
        self._is_careful = is_careful
        self._has_agent = has_agent
        self._suspected_s: float | None = None
        """Since when connections have been lost that nobody has explained yet."""
        self.easings = 0
        self._let_in = 0
        """Connections of the ramp so far."""
        self._let_in_s: float | None = None
        """When the last of them was seen; None until the ramp is looked at."""

    @property
    def rate_ratio(self) -> float:
        """Return what is left of the step's connect rate."""
        return EASED_RATIO**self.easings

    def begin(self, phase: Phase, samples: Sequence[Sample]) -> None:
        """Judge a phase by what happens in it; a step begins at its full rate."""
        if phase is Phase.RAMP:
            self.easings, self._suspected_s = 0, None
            self._let_in, self._let_in_s = 0, None
        else:
            self._guard.judge_anew(samples)

    def reaction(
        self, samples: Sequence[Sample], moment: Moment, phase: Phase, elapsed_s: float
    ) -> Reaction | None:
        """Return what is to be done now, None while all is well."""
        trip = self._guard.trip(samples, moment)
        let_in = moment.merged.total("connects")
        if self._let_in_s is None or let_in > self._let_in:
            self._let_in, self._let_in_s = let_in, elapsed_s
        if trip is None:
            may_slow_down = self._is_careful and phase is Phase.RAMP and moment.is_loaded
            hurry = self._guard.hurry(samples) if may_slow_down else None
            if hurry is None or self.easings >= MOST_EASINGS:
                return None
            return self._slowed(hurry, samples, moment)
        is_death_likely = trip.kind is CutOffKind.LOST or (
            self._is_careful and trip.kind is CutOffKind.REFUSED
        )
        if is_death_likely and self.may_be_explained(elapsed_s):
            return Reaction(response=Response.WAIT, trip=trip)
        still_s = elapsed_s - self._let_in_s
        if self._is_full(trip, moment, phase, still_s):
            return Reaction(response=Response.END, trip=_closed_door(trip, moment))
        is_eased = self._is_careful and phase is not Phase.PLATEAU and trip.guard in EASED
        if is_eased and self.easings < MOST_EASINGS:
            return self._slowed(trip, samples, moment)
        return Reaction(response=Response.END, trip=trip)

    def _is_full(self, trip: Trip, moment: Moment, phase: Phase, still_s: float) -> bool:
        """Tell whether the queue overflows because the target takes nobody out of it any more."""
        is_ramp = self._is_careful and phase is Phase.RAMP and moment.connections > 0
        return is_ramp and trip.guard == "overflow" and still_s >= STANDSTILL_S

    def _slowed(self, trip: Trip, samples: Sequence[Sample], moment: Moment) -> Reaction:
        self.easings += 1
        self._guard.judge_anew(samples, moment.merged)
        return Reaction(response=Response.SLOW_DOWN, trip=trip)

    def may_be_explained(self, elapsed_s: float) -> bool:
        """Tell whether the agent may yet say why connections are lost: it needs a sample or two."""
        if not self._has_agent:
            return False
        if self._suspected_s is None:
            self._suspected_s = elapsed_s
        return elapsed_s - self._suspected_s < SUSPECT_S


def _closed_door(trip: Trip, moment: Moment) -> Trip:
    """Return the trip of a queue that overflows as that of the target's own cap."""
    held = units.counted(moment.connections, "connection")
    return replace(
        trip,
        kind=CutOffKind.NOT_REACHED,
        resource=Resource.APPLICATION_CONNECTIONS,
        statement=f"the target held {held} and accepted no more: {trip.statement}",
    )
