"""States of a subscription."""

from itertools import product

import pytest

from capacity.domain.errors import ProtocolError
from capacity.workload.subscription import TRANSITIONS, Event, State, advance


def test_a_subscription_can_live_end_and_live_again():
    state = State.IDLE
    for event in (
        Event.SUBSCRIBE_SENT,
        Event.CONFIRMED,
        Event.UNSUBSCRIBE_SENT,
        Event.END_CONFIRMED,
        Event.SUBSCRIBE_SENT,
        Event.REFUSED,
        Event.SUBSCRIBE_SENT,
        Event.CONFIRMED,
        Event.UNSUBSCRIBE_SENT,
        Event.REFUSED,
    ):
        state = advance(state, event)

    assert state is State.LIVE


def test_every_state_can_be_reached_and_left():
    reached = {after for events in TRANSITIONS.values() for after in events.values()}

    assert reached == set(State) - {State.IDLE}
    assert all(TRANSITIONS[state] for state in State)


@pytest.mark.parametrize(
    ("state", "event"),
    [(s, e) for s, e in product(State, Event) if e not in TRANSITIONS[s]],
)
def test_whatever_is_not_in_the_table_is_illegal(state, event):
    with pytest.raises(ProtocolError, match=f"^{event.name} while {state.name}$"):
        advance(state, event)
