"""Steps that end by themselves, by a guard, or too full, and what follows them."""

from types import SimpleNamespace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.loadgen.master.steps.adaptive_steps import AdaptiveSteps
from capacity.loadgen.master.steps.step_sequence import ListedSteps
from capacity.loadgen.master.steps.step_turns import StepTurns
from capacity.planning.safety.trip import Trip

TRIP = Trip(
    guard="lost", number=0.5, bound=0.1, kind=CutOffKind.LOST, statement="half of them are gone"
)


class Results:
    """Closes whatever it is given."""

    def __init__(self):
        self.observations, self.cut_offs, self.has_open_step = [], [], True

    def close(self, step, *, ended_at, cut_off):
        observation = SimpleNamespace(index=len(self.observations), step=step, ended_at=ended_at)
        self.observations.append(observation)
        self.cut_offs.append(cut_off)
        return observation, "counts"

    def cut_off(self, kind, statement, resource=None):
        return CutOff(kind=kind, statement=statement, connections=9, resource=resource)


class Written:
    def __init__(self):
        self.events, self.caught_up = [], []

    def event(self, kind, **detail):
        self.events.append((kind, detail))

    def now(self):
        return 5.0

    def record(self):
        return "record"

    def catch_up(self, at):
        self.caught_up.append(at)


class Searching(ListedSteps):
    def after(self, observation, last):
        return {"connections": observation.step, "counts": last}


@pytest.fixture
def turns():
    def made(course=None):
        results, written, made_of = Results(), Written(), []
        forecasts = SimpleNamespace(make=lambda step, record: made_of.append((step.index, record)))
        turns = StepTurns(results, written, course or ListedSteps(), forecasts)
        return SimpleNamespace(turns=turns, results=results, written=written, forecast=made_of)

    return made


def test_steps_are_closed_in_their_order_and_now_by_default(turns):
    made = turns()
    first = made.turns.close(["a", "b"], ended_at=3.0)
    second = made.turns.close(["a", "b"])

    assert [("a", 3.0), ("b", 5.0)] == [(each.step, each.ended_at) for each in (first, second)]
    assert [(0, "record"), (1, "record")] == made.forecast


@pytest.mark.parametrize(
    "cut_off", [None, CutOff(kind=CutOffKind.LOST, statement="gone", connections=9)]
)
def test_a_trial_is_recorded_unless_its_step_was_cut_off(turns, cut_off):
    made = turns(Searching())
    made.turns.close([7], cut_off=cut_off)

    trial = [("trial", {"connections": 7, "counts": "counts", "index": 0})]
    assert (trial if cut_off is None else []) == made.written.events


@pytest.mark.parametrize("is_ahead", [False, True])
def test_only_a_guard_in_a_step_cuts_it_off(turns, is_ahead):
    made = turns()
    made.turns.cut_off(["a"], TRIP, is_ahead=is_ahead)

    (cut_off,) = made.results.cut_offs
    assert (None if is_ahead else TRIP.statement) == (cut_off and cut_off.statement)


def test_where_no_step_is_open_none_is_closed(turns):
    made = turns()
    made.results.has_open_step = False
    made.turns.cut_off(["a"], TRIP, is_ahead=False)

    assert [] == made.results.observations


def test_behind_the_last_listed_step_nothing_follows(turns):
    made = turns()

    assert () == made.turns.next_after(made.turns.close(["a"]))
    assert [] == made.written.caught_up


def test_a_climb_that_fell_short_twice_is_over(turns):
    climb = AdaptiveSteps.__new__(AdaptiveSteps)
    climb.short = CutOff(kind=CutOffKind.SATURATED, statement="updates came late", connections=9)
    closed = SimpleNamespace(plateau_ended_at=9.0, started_at=1.0)
    made = turns(climb)
    trip = made.turns.next_after(closed)

    assert isinstance(trip, Trip)
    assert "updates came late" in trip.statement
