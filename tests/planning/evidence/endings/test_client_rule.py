"""A target's rule about one client is no capacity of the target."""

from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunEvent
from capacity.planning.evidence.endings.client_rule import client_rule
from capacity.planning.plan import plan


def refused(venue, reason, said=None, addresses=(), kind=CutOffKind.NOT_REACHED):
    record = venue.record()
    *below, top = record.steps
    cut = CutOff(kind=kind, statement="some were refused", connections=50)
    top = replace(top, failures={reason: 9, "connect_timeout": 1}, cut_off=cut)
    events = () if said is None else (RunEvent(at=1.0, kind="target_said", detail={"text": said}),)
    target = replace(
        record.manifest.target,
        document={**record.manifest.target.document, "source_addresses": list(addresses)},
    )
    return replace(
        record,
        steps=(*below, top),
        events=events,
        manifest=replace(record.manifest, target=target),
    )


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("handshake_rejected_429", None),
        ("handshake_rejected_418", None),
        ("handshake_closed_1008", "closed with 1008 'too many connections from this address'"),
        ("handshake_closed_4429", "closed with 4429 'connection limit per user reached'"),
        (
            "handshake_rejected_503",
            '503 Service Unavailable, {"error":"max 10 sockets for your IP"}',
        ),
        ("handshake_rejected_403", "403 Forbidden, client limit"),
    ],
)
def test_it_gives_no_capacity_and_names_what_helps(venue, reason, said):
    answer = plan(refused(venue, reason, said))

    assert isinstance(answer, Excuse)
    assert "let in 50 connections of this one client" in answer.reason
    assert "no capacity of the target" in answer.reason
    assert "source_addresses" in answer.remedy
    assert said is None or said in answer.reason


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("handshake_rejected_503", None),
        ("handshake_rejected_503", "503 Service Unavailable, server full"),
        ("handshake_closed_1013", "closed with 1013 'try again later'"),
        ("connect_timeout", "closed with 1008 'too many from this address'"),
    ],
)
def test_a_limit_on_all_is_a_limit(venue, reason, said):
    record = refused(venue, reason, said)

    assert client_rule(record) is None
    assert isinstance(plan(record), CapacityPlan)


def test_who_comes_from_many_addresses_meets_the_limit_on_all(venue):
    record = refused(venue, "handshake_rejected_429", addresses=("127.0.1.0/28",))

    assert client_rule(record) is None


def test_a_target_that_fell_silent_did_not_refuse(venue):
    assert client_rule(refused(venue, "handshake_rejected_429", kind=CutOffKind.SILENT)) is None


def test_of_what_it_said_160_letters_are_shown(venue):
    said = "limit per user " + "x" * 300
    gap = client_rule(refused(venue, "handshake_rejected_503", said))

    assert f'It said: "{said[:159]}…".' in gap.reason


def test_of_the_words_those_about_the_rule_are_told_and_the_rate_of_connects_is_a_remedy(venue):
    said = "429 Too Many Requests, Retry-After: 9, Server: x/1, too many attempts from your address"
    answer = plan(refused(venue, "handshake_rejected_429", said))

    assert 'It said: "429 Too Many Requests, too many attempts from your address".' in answer.reason
    assert "lower connects_per_s" in answer.remedy
