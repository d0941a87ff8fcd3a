from dataclasses import replace

import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.sample import Sample
from capacity.loadgen.master.guards.distress import (
    MOST_EASINGS,
    SUSPECT_S,
    Distress,
    Response,
)
from capacity.loadgen.master.guards.guard_watch import Guard, Moment
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.settings.profile import ADAPTER
from capacity.workload.profiles.profile import Phase

GUARDED = ADAPTER.validate_python(
    {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2], "guards": {}}
)


def samples(*overflows, started_at=1.0):
    return [
        Sample(
            seq=seq,
            at=1_800_000_000.0 + seq,
            interval_s=1.0,
            used={},
            gauges={},
            counters={"listen_overflows": float(count)},
            missing={},
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
