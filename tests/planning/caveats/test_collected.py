from dataclasses import replace

import pytest

from capacity.domain.caveats import ASSUMED, DoubtKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.caveats.collected import caveats
from capacity.planning.caveats.generator import generator_verdict
from capacity.planning.plan import plan


def cap_of(connections):
    return Limit(
        resource=Resource.APPLICATION_CONNECTIONS,
        state=LimitState.KNOWN,
        value=connections,
        scope="declared",
        source="planted",
    )


@pytest.fixture
def record(venue):
    made = venue.record()
    return replace(made, manifest=replace(made.manifest, same_host=True))


def test_without_a_forecast_those_of_the_record_are_left(record):
    torn = replace(record, missing=("a step",))
    found = caveats(torn, generator_verdict(torn.steps), ())

    assert DoubtKind.RUN_INCOMPLETE in {doubt.kind for doubt in found.doubts}
    assert {doubt.kind for doubt in found.assumptions} == ASSUMED


def test_a_plan_has_those_of_its_forecast_before_those_of_its_record(record):
    torn = replace(record, missing=("a step",))
    kinds = [doubt.kind for doubt in plan(torn, declared=[cap_of(1_000.0)]).doubts]

    assert kinds.index(DoubtKind.NEAR_TIE) < kinds.index(DoubtKind.RUN_INCOMPLETE)


def test_what_is_taken_for_granted_is_no_doubt(record):
    answer = plan(record)

    assert {doubt.kind for doubt in answer.assumptions} == ASSUMED
    assert not ASSUMED & {doubt.kind for doubt in answer.doubts}


def test_a_cap_that_is_among_the_walls_is_not_taken_for_granted(record):
    answer = plan(record, declared=[cap_of(5_000.0)])

    assert {doubt.kind for doubt in answer.assumptions} == {DoubtKind.SHARED_HOST}
