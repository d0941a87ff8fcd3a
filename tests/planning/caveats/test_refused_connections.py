"""A target that refuses some newcomers, planted in a record that is clean otherwise."""

from dataclasses import replace

import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.run import RunEvent
from capacity.planning.caveats.refused_connections import refusal_doubts
from capacity.planning.plan import plan


def with_failures(record, failures):
    *below, top = record.steps
    return replace(record, steps=(*below, replace(top, failures=failures)))


@pytest.mark.parametrize(
    ("reason", "is_refusal"),
    [
        ("handshake_rejected_503", True),
        ("handshake_closed_1013", True),
        ("handshake_opening_refused", True),
        ("connect_reset", True),
        ("connect_refused", True),
        ("connect_timeout", False),
        ("request_failed_503", False),
    ],
)
def test_a_share_worth_telling_is_doubted(venue, reason, is_refusal):
    record = venue.record()
    most = max(step.connections_peak for step in record.steps)
    just_more = most // 99 + 1
    doubts = list(refusal_doubts(with_failures(record, {reason: just_more})))

    assert is_refusal == bool(doubts)
    assert not list(refusal_doubts(with_failures(record, {reason: most // 100})))
    if is_refusal:
        assert f"refused {just_more} attempts to connect ({reason})" in doubts[0].statement
        assert f"{most} connections" in doubts[0].statement


def test_a_plan_carries_it(venue):
    record = with_failures(venue.record(), {"handshake_rejected_503": 30})

    assert DoubtKind.REFUSED_CONNECTIONS in [doubt.kind for doubt in plan(record).doubts]
    assert not list(refusal_doubts(venue.record()))


@pytest.mark.parametrize(
    ("told", "said"), [(1, "1 error that answers"), (2, "2 errors that answer")]
)
def test_errors_that_open_connections_were_told_are_doubted_with_their_words(venue, told, said):
    record = with_failures(venue.record(), {"error_told": told})
    texts = ("no rule for: {}", 'an error that answers no request: {"msg":"Token expired"}')
    events = (RunEvent(at=1.0, kind="unmatched_frame", detail={"reason": text}) for text in texts)
    (doubt,) = refusal_doubts(replace(record, events=tuple(events)))

    assert DoubtKind.UNMATCHED_FRAMES is doubt.kind
    assert f"The target sent {said} no request (an error" in doubt.statement
    assert "Token expired" in doubt.statement


@pytest.mark.parametrize(("tried", "is_doubted"), [(0, True), (6, False)])
def test_refusals_of_which_nobody_could_be_tried_again_are_doubted(venue, tried, is_doubted):
    record = venue.record()
    detail = {"tried": tried, "refused": 0, "reason": "connect_timeout", "client": None}
    asked = RunEvent(at=record.manifest.started_at, kind="newcomers", detail=detail)
    found = list(refusal_doubts(replace(record, events=(*record.events, asked))))

    assert is_doubted == any("(connect_timeout)" in doubt.statement for doubt in found)
    assert is_doubted == bool(found)
