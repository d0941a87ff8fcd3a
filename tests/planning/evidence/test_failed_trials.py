"""What a search found to fail bounds the plan of the same run."""

from dataclasses import replace

import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.planning.evidence.failed_trials import failed_trials
from capacity.planning.plan import plan


def searched(venue, failure, *, held=150, **changes):
    record = venue.record()
    top = record.steps[-1]
    detail = {
        "connections": top.step.connections,
        "held": held,
        "failure": failure,
        "reason": "it was so",
        "index": top.index,
        **changes,
    }
    event = RunEvent(
        at=1.0,
        kind="trial",
        detail={key: value for key, value in detail.items() if value is not None},
    )
    return replace(record, events=(event,))


@pytest.mark.parametrize(
    ("failure", "kind", "connections", "resource"),
    [
        ("not_all_open", CutOffKind.NOT_REACHED, 150, None),
        ("dropped", CutOffKind.LOST, 245, None),
        ("not_served", CutOffKind.UNSERVED, 245, None),
        ("not_receiving", CutOffKind.SATURATED, 245, None),
        ("delivery_delay", CutOffKind.OBJECTIVE, 245, Resource.DELIVERY_DELAY),
    ],
)
def test_each_condition_is_a_limit_of_its_kind(venue, failure, kind, connections, resource):
    record = searched(venue, failure)
    (cut,) = failed_trials(record).values()

    assert (kind, connections, resource) == (cut.kind, cut.connections, cut.resource)
    assert "it was so" == cut.statement


@pytest.mark.parametrize(
    "changes", [{"failure": None}, {"index": None}, {"failure": "unheard_of"}, {"held": 0}]
)
def test_a_trial_that_passed_or_cannot_be_read_bounds_nothing(venue, changes):
    assert {} == failed_trials(searched(venue, **{"failure": "not_all_open", **changes}))


def test_a_plan_is_not_beyond_what_its_own_search_found(venue):
    answer = plan(searched(venue, "dropped"))

    assert answer.safe_capacity < 245
    assert 245 == answer.met.failed
