"""The life of one subscription, without a socket.

Rule 1: every change of state is in TRANSITIONS; the illegal raises and changes nothing.
Rule 2: this file knows nothing of WebSocket, JSON or the clock; events are passed in.
"""

from enum import Enum, auto

from capacity.domain.errors import ProtocolError


class State(Enum):
    IDLE = auto()
    """Not asked for."""
    REQUESTED = auto()
    """Asked for, not confirmed."""
    LIVE = auto()
    LEAVING = auto()
    """Asked to end, not confirmed; updates still under way are no surprise."""
    REJECTED = auto()
    ENDED = auto()


class Event(Enum):
    SUBSCRIBE_SENT = auto()
    CONFIRMED = auto()
    REFUSED = auto()
    UNSUBSCRIBE_SENT = auto()
    END_CONFIRMED = auto()


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.IDLE: {Event.SUBSCRIBE_SENT: State.REQUESTED},
    State.REQUESTED: {Event.CONFIRMED: State.LIVE, Event.REFUSED: State.REJECTED},
    State.LIVE: {Event.UNSUBSCRIBE_SENT: State.LEAVING},
    State.LEAVING: {Event.END_CONFIRMED: State.ENDED, Event.REFUSED: State.LIVE},
    State.REJECTED: {Event.SUBSCRIBE_SENT: State.REQUESTED},
    State.ENDED: {Event.SUBSCRIBE_SENT: State.REQUESTED},
}


def advance(state: State, event: Event) -> State:
    """Return the state after *event*, or raise ProtocolError if it is illegal now."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise ProtocolError(f"{event.name} while {state.name}") from None
