"""A target that says that it shuts down tells nothing of how many connections it holds."""

import math
from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunEvent
from capacity.planning.evidence.endings.said_shutdown import MOST_RATIO, said_shutdown
from capacity.planning.plan import plan

SAID = "closed with 1001: shutting down"


def ended(venue, *, said=SAID, kind=CutOffKind.LOST, lost=None, later_s=1.0):
    """Return a run whose last step lost all its connections, or *lost*, when the target said something."""
    record = venue.record()
    *below, top = record.steps
    cut = CutOff(
        kind=kind, statement="the target dropped them, as in a planned shutdown", connections=0
    )
    top = replace(top, cut_off=cut, lost=top.connections_peak if lost is None else lost)
    event = RunEvent(at=top.started_at + later_s, kind="target_said", detail={"text": said})
    return replace(record, steps=(*below, top), events=(event,))


@pytest.mark.parametrize("kind", [CutOffKind.LOST, CutOffKind.DIED])
@pytest.mark.parametrize("said", [SAID, "closed with 1012", "private: closed with 1001: bye"])
def test_it_gives_no_capacity_and_what_to_look_at(venue, kind, said):
    answer = plan(ended(venue, kind=kind, said=said))

    assert isinstance(answer, Excuse)
    assert (
        "as in a planned shutdown. At how many connections that was says nothing" in answer.reason
    )
    assert "Measure again while nobody restarts it" in answer.remedy


@pytest.mark.parametrize(
    "said", ["closed with 1000", "closed with 4001: 1001", "closed with 10012"]
)
def test_other_farewells_are_losses_under_load(venue, said):
    assert isinstance(plan(ended(venue, said=said)), CapacityPlan)


def test_who_is_refused_at_a_cap_is_not_told_to_go_away(venue):
    assert said_shutdown(ended(venue, kind=CutOffKind.REFUSED)) is None


@pytest.mark.parametrize(("fewer", "is_shutdown"), [(0, True), (1, False)])
def test_a_cap_that_ends_some_with_such_a_code_stays_a_cap(venue, fewer, is_shutdown):
    peak = venue.record().steps[-1].connections_peak
    most = math.ceil(MOST_RATIO * peak)

    assert (said_shutdown(ended(venue, lost=most - fewer)) is not None) is is_shutdown


def test_what_was_said_in_an_earlier_step_was_about_others(venue):
    assert said_shutdown(ended(venue, later_s=-1.0)) is None
    assert said_shutdown(ended(venue, later_s=0.0)) is not None
