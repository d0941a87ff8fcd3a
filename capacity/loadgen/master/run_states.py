"""
What a run does when something happens in one of its phases.

Rule 1: every reaction is in LISTED or SEARCH; what is not there cannot happen, raises, and does nothing.
Rule 2: nothing here looks at a clock, a worker or the target; the controller says what happened, and
does what comes out.
"""

from collections.abc import Mapping
from enum import Enum, auto

from capacity.domain.errors import ProtocolError
from capacity.loadgen.master.run_events import Event
from capacity.workload.profiles.profile import Phase


class Action(Enum):
    WAIT = auto()
    """Do nothing this time; the phase does not go on either."""
    SLOW_DOWN = auto()
    BEGIN_PHASE = auto()
    BEGIN_STEP = auto()
    """Unless a guard sees that it would do harm."""
    ASK_FOR_STEPS = auto()
    """Close the step, then begin what follows from it, or end."""
    GIVE_UP_TRIAL = auto()
    """The same, with the loss on the step's account."""
    END_UNREACHED = auto()
    END_LOST = auto()
    END_GUARDED = auto()
    END_WITHOUT_WORKERS = auto()


Table = Mapping[Phase, Mapping[Event, Action]]

_AT_ANY_TIME = {
    Event.WORKERS_GONE: Action.END_WITHOUT_WORKERS,
    Event.DIED: Action.END_LOST,
    Event.HARMED: Action.END_GUARDED,
    Event.DISTRESSED: Action.SLOW_DOWN,
    Event.SUSPECTED: Action.WAIT,
}
LISTED: Table = {
    Phase.RAMP: {
        **_AT_ANY_TIME,
        Event.REACHED: Action.BEGIN_PHASE,
        Event.UNREACHED: Action.END_UNREACHED,
        Event.EMPTIED: Action.END_LOST,
    },
    Phase.SETTLE: {
        **_AT_ANY_TIME,
        Event.SETTLED: Action.BEGIN_PHASE,
        Event.EMPTIED: Action.END_LOST,
    },
    Phase.PLATEAU: {
        **_AT_ANY_TIME,
        Event.MEASURED: Action.BEGIN_STEP,
        Event.THROUGH: Action.ASK_FOR_STEPS,
        Event.EMPTIED: Action.END_LOST,
    },
}
"""Of a ramp and of an experiment: a step that fails ends the run."""
SEARCH: Table = {
    Phase.RAMP: {
        **_AT_ANY_TIME,
        Event.REACHED: Action.BEGIN_PHASE,
        Event.UNREACHED: Action.ASK_FOR_STEPS,
        # A ramp that gets nowhere, or back from too much, ends by its time-out.
        Event.EMPTIED: Action.WAIT,
    },
    Phase.SETTLE: {
        **_AT_ANY_TIME,
        Event.SETTLED: Action.BEGIN_PHASE,
        Event.EMPTIED: Action.GIVE_UP_TRIAL,
    },
    Phase.PLATEAU: {
        **_AT_ANY_TIME,
        Event.MEASURED: Action.BEGIN_STEP,
        Event.THROUGH: Action.ASK_FOR_STEPS,
        Event.EMPTIED: Action.GIVE_UP_TRIAL,
    },
}
"""Of a search for the limit: a step that fails is a result."""


def action_on(event: Event, phase: Phase, *, is_search: bool) -> Action:
    """Return what is to be done about *event*. Raises ProtocolError where it cannot happen."""
    try:
        return (SEARCH if is_search else LISTED)[phase][event]
    except KeyError:
        raise ProtocolError(f"{event.name} while in {phase.name}") from None
