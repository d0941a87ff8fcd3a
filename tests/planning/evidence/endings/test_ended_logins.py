"""Connections whose logins ended are no limit on connections."""

from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunEvent
from capacity.planning.evidence.endings.ended_logins import ended_logins
from capacity.planning.plan import plan

SAID = ("target_said", {"text": "subscribe: refused: 60024 Token expired, log in again"})
TOLD = (
    "unmatched_frame",
    {"reason": 'an error that answers no request: {"msg":"Session expired"}'},
)


def ended_by_silence(venue, event, kind=CutOffKind.UNSERVED, failures=None):
    record = venue.record()
    *below, top = record.steps
    cut = CutOff(kind=kind, statement="12 of 33 got nothing", connections=33)
    failures = {"subscribe_rejected": 12} if failures is None else failures
    told = RunEvent(at=1.0, kind=event[0], detail=event[1])
    top = replace(top, cut_off=cut, failures=failures)
    return replace(record, steps=(*below, top), events=(told,))


@pytest.mark.parametrize("event", [SAID, TOLD])
@pytest.mark.parametrize("kind", [CutOffKind.UNSERVED, CutOffKind.SATURATED])
def test_they_give_no_capacity_and_the_targets_words(venue, event, kind):
    answer = plan(ended_by_silence(venue, event, kind, {"error_told": 1}))

    assert isinstance(answer, Excuse)
    assert answer.reason.startswith("12 of 33 got nothing. The target said")
    assert "expired" in answer.reason
    assert "asked for before each connect" in answer.remedy


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (("target_said", {"text": "subscribe: refused: too many symbols"}), {}),
        (("target_said", {"text": "closed with 4001 'Token expired'"}), {}),
        (("unmatched_frame", {"reason": "no rule for: {expired: token}"}), {}),
        (("target_said", {}), {}),
        (SAID, {"failures": {"connection_closed": 3}}),
        (SAID, {"kind": CutOffKind.OBJECTIVE}),
    ],
    ids=["a cap", "closed", "no error", "an older run", "nobody refused", "another end"],
)
def test_other_ends_are_limits(venue, event, changes):
    record = ended_by_silence(venue, event, **changes)

    assert ended_logins(record) is None
    assert isinstance(plan(record), CapacityPlan)
