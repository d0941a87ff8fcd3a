import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.loadgen.master.guards.distress import Distress, Response
from capacity.loadgen.master.guards.guard_watch import Guard, Moment
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.settings.profile import ADAPTER
from capacity.workload.profiles.profile import Phase

sample_of = runpy.run_path(str(Path(__file__).parents[3] / "agent_samples.py"))["sample_of"]

MOST_EASINGS = 3
SUSPECT_S = 3.0

GUARDED = ADAPTER.validate_python(
    {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2], "guards": {}}
)


def samples(*overflows, started_at=1.0):
    return [
        sample_of(
            seq,
            counters={"listen_overflows": float(count)},
            target_started_at=1.0 if seq == 0 else started_at,
        )
        for seq, count in enumerate(overflows)
    ]


def moment(merged=None):
    return Moment(
        merged=merged or MergedCounts(), connections=100, is_loaded=True, is_leaving=False
    )


@pytest.fixture
def distress():
    def of(*, is_careful=True, has_agent=True):
        distress = Distress(Guard(GUARDED, ()), is_careful=is_careful, has_agent=has_agent)
        distress.begin(Phase.RAMP, ())
        return distress

    return of


@pytest.fixture
def losing(report):
    merged = MergedCounts()
    merged.add("a", report(lost=50))
    return merged


def test_a_queue_that_overflows_in_a_ramp_slows_it_down_and_ends_the_run_when_that_lasts(distress):
    careful = distress()
    seen = [0]
    responses = []
    for count in range(1, MOST_EASINGS + 2):
        seen += [count]
        found = careful.reaction(samples(*seen), moment(), Phase.RAMP, float(count))
        responses.append(found.response)

    assert [Response.SLOW_DOWN] * 3 + [Response.END] == responses
    assert 0.25**3 == careful.rate_ratio


@pytest.mark.parametrize(
    ("still_s", "response", "kind"),
    [
        (4.9, Response.SLOW_DOWN, CutOffKind.GUARDED),
        (5.0, Response.END, CutOffKind.NOT_REACHED),
    ],
)
def test_a_queue_that_overflows_while_nobody_is_let_in_is_a_closed_door(
    distress, report, still_s, response, kind
):
    careful, merged = distress(), MergedCounts()
    merged.add("a", report(connects=90))
    assert careful.reaction(samples(0, 0), moment(merged), Phase.RAMP, 6.0) is None
    found = careful.reaction(samples(0, 0, 2), moment(merged), Phase.RAMP, 6.0 + still_s)

    assert (response, kind) == (found.response, found.trip.kind)
    is_named = found.trip.resource is Resource.APPLICATION_CONNECTIONS
    assert is_named is (kind is CutOffKind.NOT_REACHED)
    assert is_named is ("held 100 connections and accepted no more" in found.trip.statement)


def test_a_queue_that_overflows_while_some_are_let_in_is_one_of_arrivals_that_are_too_fast(
    distress, report
):
    careful, merged = distress(), MergedCounts()
    responses = []
    for second in (1, 4, 8, 12):
        merged.add("a", report(connects=1))
        found = careful.reaction(
            samples(*range(second + 1)), moment(merged), Phase.RAMP, float(second)
        )
        responses.append((found.response, found.trip.kind))

    assert [(Response.SLOW_DOWN, CutOffKind.GUARDED)] * 3 == responses[:3]
    assert (Response.END, CutOffKind.GUARDED) == responses[3]


def test_what_was_answered_by_a_slower_ramp_is_not_judged_again(distress):
    careful = distress()
    careful.reaction(samples(0, 1), moment(), Phase.RAMP, 1.0)

    assert careful.reaction(samples(0, 1, 1, 1), moment(), Phase.RAMP, 3.0) is None


@pytest.mark.parametrize(("is_careful", "phase"), [(True, Phase.PLATEAU), (False, Phase.RAMP)])
def test_on_a_plateau_and_in_other_runs_it_ends_the_run(distress, is_careful, phase):
    found = distress(is_careful=is_careful).reaction(samples(0, 1), moment(), phase, 1.0)

    assert (Response.END, "overflow") == (found.response, found.trip.guard)


def test_the_next_step_begins_at_its_full_rate(distress):
    careful = distress()
    careful.reaction(samples(0, 1), moment(), Phase.RAMP, 1.0)
    careful.begin(Phase.RAMP, ())

    assert 1.0 == careful.rate_ratio


def test_lost_connections_wait_for_the_agent_to_explain_them(distress, losing):
    careful = distress()
    waited = [
        careful.reaction(samples(0, 0), moment(losing), Phase.PLATEAU, at_s).response
        for at_s in (10.0, 10.0 + SUSPECT_S - 0.1, 10.0 + SUSPECT_S + 0.1)
    ]

    assert [Response.WAIT, Response.WAIT, Response.END] == waited


def test_a_target_that_ended_is_the_explanation(distress, losing):
    found = distress().reaction(samples(0, 0, started_at=None), moment(losing), Phase.PLATEAU, 10.0)

    assert (Response.END, CutOffKind.DIED) == (found.response, found.trip.kind)


def test_without_an_agent_nobody_explains_anything(distress, losing):
    found = distress(has_agent=False).reaction(samples(0, 0), moment(losing), Phase.PLATEAU, 10.0)

    assert (Response.END, CutOffKind.LOST) == (found.response, found.trip.kind)


def filling(*uses):
    limit = Limit(
        resource=Resource.DESCRIPTORS,
        state=LimitState.KNOWN,
        value=1000.0,
        scope="process",
        source="/proc/PID/limits",
    )
    read = [
        replace(each, used={Resource.DESCRIPTORS: float(use)})
        for each, use in zip(samples(*[0] * len(uses)), uses, strict=True)
    ]
    return limit, read


@pytest.mark.parametrize(
    ("phase", "is_careful", "response"),
    [
        (Phase.RAMP, True, Response.SLOW_DOWN),
        (Phase.PLATEAU, True, None),
        (Phase.RAMP, False, None),
    ],
)
def test_what_fills_too_fast_to_be_seen_slows_a_careful_ramp_down(phase, is_careful, response):
    limit, read = filling(100, 500)
    distress = Distress(Guard(GUARDED, (limit,)), is_careful=is_careful, has_agent=True)
    distress.begin(Phase.RAMP, ())
    reaction = distress.reaction(read, moment(), phase, 0.0)

    assert response is (None if reaction is None else reaction.response)


def test_a_pace_alone_never_ends_a_run():
    limit, read = filling(100, 500, 501, 900, 100, 500, 100, 500, 100, 500)
    distress = Distress(Guard(GUARDED, (limit,)), is_careful=True, has_agent=True)
    distress.begin(Phase.RAMP, ())
    seen = [distress.reaction(read[:count], moment(), Phase.RAMP, 0.0) for count in range(2, 11)]

    assert [Response.SLOW_DOWN] * MOST_EASINGS == [
        reaction.response for reaction in seen if reaction is not None
    ]


def test_refusals_may_yet_turn_out_to_be_a_death(distress):
    refused = replace(moment(), refused_by={"connect_refused": 10})
    careful = distress()

    assert Response.WAIT is careful.reaction((), refused, Phase.RAMP, 0.0).response
    assert Response.END is careful.reaction((), refused, Phase.RAMP, SUSPECT_S).response


@pytest.mark.parametrize(("later_s", "response"), [(2.9, Response.WAIT), (3.1, Response.END)])
def test_the_agent_has_three_seconds_to_explain_what_is_lost(distress, losing, later_s, response):
    guarded = distress()
    responses = [
        guarded.reaction((), moment(losing), Phase.PLATEAU, elapsed_s).response
        for elapsed_s in (100.0, 100.0 + later_s)
    ]

    assert [Response.WAIT, response] == responses


def test_three_times_a_quarter_of_the_rate_is_left():
    guarded = Distress(Guard(GUARDED, ()), is_careful=True, has_agent=False)
    ratios, responses = [guarded.rate_ratio], []
    for _ in range(4):
        reaction = guarded.reaction(samples(0, 0, 900), moment(), Phase.RAMP, 1.0)
        responses.append(reaction and reaction.response)
        ratios.append(guarded.rate_ratio)
        guarded._guard._since = guarded._guard._forgiven = 0

    assert [1.0, 0.25, 0.0625, 0.015625, 0.015625] == ratios
    assert [Response.SLOW_DOWN] * 3 + [Response.END] == responses
