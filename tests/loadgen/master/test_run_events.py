"""Readings of a run of two steps of 100 connections, each a second of settling and five of plateau."""

import runpy
from pathlib import Path

import pytest

from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOffKind
from capacity.loadgen.master.guards.distress import SUSPECT_S, Distress, Reaction, Response
from capacity.loadgen.master.guards.guard_watch import Guard, Moment
from capacity.loadgen.master.run_events import Event, RunReading, Seen, event_of, seen_in
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.planning.safety.trip import Trip
from capacity.settings.profile import ADAPTER
from capacity.workload.profiles.profile import Phase, Position

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]

STEP = LoadStep(
    connections=100,
    subscriptions_per_connection=0,
    requests_per_s=0.0,
    connects_per_s=100.0,
    ramp_timeout_s=10.0,
    settle_s=1.0,
    plateau_s=5.0,
    is_mix=True,
)
GUARDED = ADAPTER.validate_python(
    {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2], "guards": {}}
)
OVERFLOW = [sample_of(seq, counters={"listen_overflows": float(seq)}) for seq in range(2)]
MOMENT = Moment(merged=MergedCounts(), connections=100, is_loaded=True, is_leaving=False)


def reading(phase=Phase.RAMP, index=0, **changes):
    """Return what is read half a second into a phase in which nothing is amiss."""
    calm = {
        "steps": [STEP, STEP],
        "position": Position(index=index, phase=phase, since_s=100.0),
        "elapsed_s": 100.5,
        "stalled_s": None,
        "open_connections": 40 if phase is Phase.RAMP else 100,
        "connections_per_user": 1,
        "has_workers": True,
        "is_search": False,
        "loss": None,
        "moment": MOMENT,
        "samples": [],
    }
    return RunReading(**{**calm, **changes})


@pytest.fixture
def distress():
    def of(*, is_careful=False, has_agent=True):
        made = Distress(Guard(GUARDED, ()), is_careful=is_careful, has_agent=has_agent)
        made.begin(Phase.RAMP, ())
        return made

    return of


@pytest.mark.parametrize("phase", Phase)
def test_a_phase_that_goes_on_as_it_should_brings_nothing(distress, phase):
    assert seen_in(reading(phase), distress()) is None


@pytest.mark.parametrize(
    ("phase", "index", "changes", "event", "leads_to"),
    [
        (Phase.RAMP, 0, {"open_connections": 100}, Event.REACHED, (0, Phase.SETTLE)),
        (Phase.RAMP, 0, {"elapsed_s": 111.1}, Event.UNREACHED, None),
        (Phase.RAMP, 0, {"stalled_s": 10.1}, Event.UNREACHED, None),
        (Phase.SETTLE, 0, {"elapsed_s": 101.0}, Event.SETTLED, (0, Phase.PLATEAU)),
        (Phase.PLATEAU, 0, {"elapsed_s": 105.0}, Event.MEASURED, (1, Phase.RAMP)),
        (Phase.PLATEAU, 1, {"elapsed_s": 105.0}, Event.THROUGH, None),
    ],
)
def test_a_phase_that_is_over_says_what_ended_and_where_it_leads(
    distress, phase, index, changes, event, leads_to
):
    seen = seen_in(reading(phase, index, **changes), distress())

    assert seen.event is event
    assert (seen.position and (seen.position.index, seen.position.phase)) == leads_to


@pytest.mark.parametrize(
    ("phase", "changes"),
    [
        (Phase.RAMP, {"elapsed_s": 110.9}),
        (Phase.RAMP, {"stalled_s": 9.9, "elapsed_s": 999.0}),
        (Phase.SETTLE, {"elapsed_s": 100.9}),
        (Phase.PLATEAU, {"elapsed_s": 104.9}),
    ],
)
def test_just_before_its_time_no_phase_is_over(distress, phase, changes):
    assert seen_in(reading(phase, **changes), distress()) is None


def test_without_workers_nothing_else_matters(distress):
    seen = seen_in(reading(has_workers=False, samples=OVERFLOW, loss="gone"), distress())

    assert seen.event is Event.WORKERS_GONE


def test_distress_comes_before_the_end_of_a_phase(distress):
    seen = seen_in(reading(open_connections=100, samples=OVERFLOW), distress())

    assert (seen.event, seen.sign.guard) == (Event.HARMED, "overflow")
    assert seen.statement == seen.sign.statement


def test_a_careful_ramp_is_distressed_before_it_is_harmed(distress):
    assert seen_in(reading(samples=OVERFLOW), distress(is_careful=True)).event is Event.DISTRESSED


def test_a_search_without_guards_breaks_its_target(distress):
    assert seen_in(reading(moment=None, samples=OVERFLOW), distress()) is None


def test_a_loss_is_suspected_first_where_the_agent_may_say_why(distress):
    watched = distress()

    assert seen_in(reading(loss="it left", elapsed_s=100.5), watched).event is Event.SUSPECTED
    late = seen_in(reading(loss="it left", elapsed_s=100.5 + SUSPECT_S), watched)
    assert (late.event, late.statement) == (Event.EMPTIED, "it left")


def test_a_loss_is_one_at_once_where_nobody_can_say_why_or_need_not(distress):
    assert seen_in(reading(loss="it left"), distress(has_agent=False)).event is Event.EMPTIED
    assert seen_in(reading(loss="it left", is_search=True), distress()).event is Event.EMPTIED


@pytest.mark.parametrize(
    ("response", "kind", "event"),
    [
        (Response.WAIT, CutOffKind.LOST, Event.SUSPECTED),
        (Response.SLOW_DOWN, CutOffKind.GUARDED, Event.DISTRESSED),
        (Response.END, CutOffKind.GUARDED, Event.HARMED),
        (Response.END, CutOffKind.DIED, Event.DIED),
    ],
)
def test_a_sign_of_distress_is_what_is_to_be_done_about_it(response, kind, event):
    trip = Trip(guard="planted", number=1.0, bound=0.0, statement="it is so", kind=kind)

    assert event_of(Reaction(response=response, trip=trip)) is event


@pytest.mark.parametrize(
    ("event", "kind"), [(Event.DIED, CutOffKind.DIED), (Event.EMPTIED, CutOffKind.LOST)]
)
def test_a_target_that_is_gone_died_only_where_the_agent_says_so(event, kind):
    assert Seen(event=event).loss is kind
