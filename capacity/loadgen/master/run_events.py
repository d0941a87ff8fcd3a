"""What a look at a run brings: the first thing that is true of what its controller read."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOffKind
from capacity.domain.sample import Sample
from capacity.loadgen.master.guards.distress import Distress, Reaction, Response
from capacity.loadgen.master.guards.guard_watch import Moment
from capacity.planning.safety.trip import Trip
from capacity.workload.profiles.profile import Phase, Position, StepNotReachedError, advance


class Event(Enum):
    """In this order: what comes first is what a reading is about."""

    WORKERS_GONE = auto()
    DIED = auto()
    """The agent says that the target's process ended."""
    HARMED = auto()
    """The target suffers, and the load has to come off."""
    DISTRESSED = auto()
    """The target suffers from its arrivals."""
    SUSPECTED = auto()
    """Connections are lost or refused, and the agent may yet say why."""
    REACHED = auto()
    """The connections of the step are open."""
    UNREACHED = auto()
    """The ramp timed out."""
    SETTLED = auto()
    MEASURED = auto()
    """The plateau is over, and the step behind it is known."""
    THROUGH = auto()
    """The plateau of the last known step is over."""
    EMPTIED = auto()
    """Most connections are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An event with what belongs to it."""

    event: Event
    position: Position | None = None
    """Where a phase that is over leads to."""
    trip: Trip | None = None
    """The sign of distress that was seen."""
    statement: str = ""
    """What was seen, for a person."""

    @property
    def goal(self) -> Position:
        assert self.position is not None, self.event
        return self.position

    @property
    def sign(self) -> Trip:
        assert self.trip is not None, self.event
        return self.trip

    @property
    def loss(self) -> CutOffKind:
        """Return what became of the target that is gone."""
        return CutOffKind.DIED if self.event is Event.DIED else CutOffKind.LOST


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReading:
    """What a controller read at one moment."""

    steps: Sequence[LoadStep]
    position: Position
    elapsed_s: float
    stalled_s: float | None
    """Since when no further connection has opened; None where a ramp has its time and no more."""
    open_connections: int
    connections_per_user: int
    has_workers: bool
    is_search: bool
    loss: str | None
    """How the target has left the step, None while it has not."""
    moment: Moment | None
    """What guards look at; None for a search without: it breaks its target and lets it recover."""
    samples: Sequence[Sample]


def seen_in(reading: RunReading, distress: Distress) -> Seen | None:
    """Return what *reading* brings, None while the phase goes on as it should."""
    if not reading.has_workers:
        return Seen(event=Event.WORKERS_GONE)
    if reading.moment is not None:
        reaction = distress.reaction(
            reading.samples, reading.moment, reading.position.phase, reading.elapsed_s
        )
        if reaction is not None:
            trip = reaction.trip
            return Seen(event=event_of(reaction), trip=trip, statement=trip.statement)
    return _of_phase(reading) or _of_target(reading, distress)


def event_of(reaction: Reaction) -> Event:
    """Return what a sign of distress is, by what there is to be done about it."""
    if reaction.response is Response.WAIT:
        return Event.SUSPECTED
    if reaction.response is Response.SLOW_DOWN:
        return Event.DISTRESSED
    return Event.DIED if reaction.trip.kind is CutOffKind.DIED else Event.HARMED


def _of_phase(reading: RunReading) -> Seen | None:
    before = reading.position
    try:
        after = advance(
            reading.steps,
            before,
            reading.elapsed_s,
            reading.open_connections,
            reading.connections_per_user,
            stalled_s=reading.stalled_s,
        )
    except StepNotReachedError:
        return Seen(event=Event.UNREACHED)
    if after is None:
        return Seen(event=Event.THROUGH)
    if after.index != before.index:
        return Seen(event=Event.MEASURED, position=after)
    if after.phase is before.phase:
        return None
    is_reached = before.phase is Phase.RAMP
    return Seen(event=Event.REACHED if is_reached else Event.SETTLED, position=after)


def _of_target(reading: RunReading, distress: Distress) -> Seen | None:
    if reading.loss is None:
        return None
    if not reading.is_search and distress.may_be_explained(reading.elapsed_s):
        return Seen(event=Event.SUSPECTED)
    return Seen(event=Event.EMPTIED, statement=reading.loss)
