from itertools import product

import pytest

from capacity.domain.errors import ProtocolError
from capacity.loadgen.master.run_events import Event
from capacity.loadgen.master.run_states import LISTED, SEARCH, Action, action_on
from capacity.workload.profiles.profile import Phase


@pytest.mark.parametrize("table", [LISTED, SEARCH])
def test_every_phase_has_its_reactions_and_every_event_a_phase(table):
    assert set(table) == set(Phase)
    assert {event for reactions in table.values() for event in reactions} == set(Event)


def test_every_action_is_the_answer_to_something():
    answers = {
        action
        for table in (LISTED, SEARCH)
        for reactions in table.values()
        for action in reactions.values()
    }

    assert answers == set(Action)


@pytest.mark.parametrize(
    ("event", "action"),
    [
        (Event.WORKERS_GONE, Action.END_WITHOUT_WORKERS),
        (Event.DIED, Action.END_LOST),
        (Event.HARMED, Action.END_GUARDED),
        (Event.DISTRESSED, Action.SLOW_DOWN),
        (Event.SUSPECTED, Action.WAIT),
    ],
)
def test_harm_is_answered_alike_in_every_phase_of_every_run(event, action):
    found = {
        action_on(event, phase, is_search=is_search)
        for phase, is_search in product(Phase, (True, False))
    }

    assert found == {action}


@pytest.mark.parametrize(
    ("event", "phase", "listed", "search"),
    [
        (Event.UNREACHED, Phase.RAMP, Action.END_UNREACHED, Action.ASK_FOR_STEPS),
        (Event.EMPTIED, Phase.RAMP, Action.END_LOST, Action.WAIT),
        (Event.EMPTIED, Phase.SETTLE, Action.END_LOST, Action.GIVE_UP_TRIAL),
        (Event.EMPTIED, Phase.PLATEAU, Action.END_LOST, Action.GIVE_UP_TRIAL),
    ],
)
def test_what_ends_a_list_is_a_result_of_a_search(event, phase, listed, search):
    assert action_on(event, phase, is_search=False) is listed
    assert action_on(event, phase, is_search=True) is search


@pytest.mark.parametrize("is_search", [True, False])
@pytest.mark.parametrize(
    ("event", "phase"),
    [
        (Event.SETTLED, Phase.RAMP),
        (Event.MEASURED, Phase.SETTLE),
        (Event.REACHED, Phase.PLATEAU),
        (Event.UNREACHED, Phase.PLATEAU),
    ],
)
def test_what_cannot_happen_in_a_phase_raises(event, phase, is_search):
    with pytest.raises(ProtocolError, match=f"{event.name} while in {phase.name}"):
        action_on(event, phase, is_search=is_search)
