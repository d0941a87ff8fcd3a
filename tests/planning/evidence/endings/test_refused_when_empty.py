"""Refusals that go on without load are no limit on connections."""

from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunEvent
from capacity.planning.evidence.endings.refused_when_empty import refused_when_empty
from capacity.planning.plan import plan


def ended_by_refusals(venue, **newcomers):
    record = venue.record()
    *below, top = record.steps
    cut = CutOff(kind=CutOffKind.REFUSED, statement="9 of 47 failed to open", connections=50)
    top = replace(top, failures={"handshake_rejected_503": 9}, cut_off=cut)
    events = (RunEvent(at=1.0, kind="newcomers", detail=newcomers),) if newcomers else ()
    return replace(record, steps=(*below, top), events=events)


@pytest.mark.parametrize(
    ("refused", "said", "typed"),
    [
        (10, "bans this client", "source_addresses"),
        (1, "sheds newcomers by chance", "load shedding"),
        (9, "sheds newcomers by chance", "connects_per_s"),
    ],
)
def test_they_give_no_capacity_and_what_to_do(venue, refused, said, typed):
    answer = plan(
        ended_by_refusals(venue, tried=10, refused=refused, reason="handshake_rejected_503")
    )

    assert isinstance(answer, Excuse)
    assert f"still refused {refused} of 10 newcomers (handshake_rejected_503)" in answer.reason
    assert "9 of 47 failed to open" in answer.reason
    assert said in answer.reason
    assert typed in answer.remedy


def test_a_login_that_is_refused_when_nobody_is_connected_gives_no_capacity(venue):
    seen = {"tried": 6, "refused": 6, "reason": "handshake_opening_refused", "client": 13}
    answer = plan(ended_by_refusals(venue, **seen))

    assert isinstance(answer, Excuse)
    assert "the login of client 14 was still refused, 6 times" in answer.reason
    assert "row 14" in answer.remedy


@pytest.mark.parametrize(
    ("kind", "refused", "said", "typed"),
    [
        (CutOffKind.REFUSED, 4, "4 of 10 logins, one after the other", "Lower connects_per_s"),
        (CutOffKind.LOST, 10, "client 3 was still refused, 10 times", "Correct or renew"),
        (CutOffKind.LOST, 4, "4 of 10 logins, one after the other", "Lower connects_per_s"),
    ],
)
def test_logins_that_ended_or_come_too_often_give_no_capacity(venue, kind, refused, said, typed):
    record = ended_by_refusals(venue, tried=10, refused=refused, reason="r", client=2)
    top = record.steps[-1]
    told = RunEvent(at=1.0, kind="target_said", detail={"text": "closed with 4001 'Token expired'"})
    ended = replace(top, cut_off=replace(top.cut_off, kind=kind))
    answer = plan(replace(record, steps=(*record.steps[:-1], ended), events=(*record.events, told)))

    assert isinstance(answer, Excuse)
    assert said in answer.reason
    assert typed in answer.remedy
    assert ("It said: closed with 4001 'Token expired'." in answer.reason) == (refused == 10)


@pytest.mark.parametrize(
    ("words", "is_pace"),
    [
        ("private: opening refused: 60014 Requests too frequent.", True),
        ("opening refused: full", False),
    ],
)
def test_a_login_that_the_target_says_came_too_often_gives_no_capacity(venue, words, is_pace):
    record = ended_by_refusals(venue, tried=10, refused=0, reason=None, client=2)
    told = RunEvent(at=1.0, kind="target_said", detail={"text": words})
    answer = plan(replace(record, events=(*record.events, told)))

    assert is_pace == isinstance(answer, Excuse)
    if is_pace:
        assert f'The target said: "{words}"' in answer.reason
        assert "Lower connects_per_s" in answer.remedy


def test_losses_without_a_login_that_was_tried_are_a_limit(venue):
    record = ended_by_refusals(venue, tried=10, refused=10, reason="r")
    top = record.steps[-1]
    lost = replace(top, cut_off=replace(top.cut_off, kind=CutOffKind.LOST))

    assert refused_when_empty(replace(record, steps=(*record.steps[:-1], lost))) is None


def test_the_step_that_refusals_ended_is_told_and_not_one_that_fell_short_before_it(venue):
    record = ended_by_refusals(venue, tried=10, refused=10, reason="handshake_rejected_503")
    first, *others = record.steps
    short = CutOff(kind=CutOffKind.SATURATED, statement="only 90 % arrived", connections=20)
    found = refused_when_empty(replace(record, steps=(replace(first, cut_off=short), *others)))

    assert found.reason.startswith("9 of 47 failed to open. ")


@pytest.mark.parametrize(
    "newcomers",
    [
        {},
        {"tried": 10, "refused": 0, "reason": None},
        {"tried": 10, "refused": "many", "reason": None},
        {"tried": 10, "refused": 11, "reason": None},
    ],
    ids=["an older run", "all let in", "no number", "more than tried"],
)
def test_a_limit_on_connections_is_a_limit(venue, newcomers):
    record = ended_by_refusals(venue, **newcomers)

    assert refused_when_empty(record) is None
    assert isinstance(plan(record), CapacityPlan)
