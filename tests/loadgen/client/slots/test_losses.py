"""What the end of a connection says, by its close frame, its age and what came before."""

from types import SimpleNamespace

import pytest

from capacity.loadgen.client.arrivals.lifetimes import Lifetimes
from capacity.loadgen.client.slots.losses import has_expired, refusal_in
from capacity.loadgen.protocol.counters import Counters

GOING_AWAY = 1001


@pytest.mark.parametrize(
    ("closing", "was_let_in", "age_s", "reason"),
    [
        ((1008, "full"), False, 0.99, "handshake_closed_1008"),
        ((1008, "full"), False, 1.0, None),
        ((1013, "full"), False, 0.99, "handshake_closed_1013"),
        ((1013, "full"), False, 9.0, "handshake_closed_1013"),
        ((1013, "full"), True, 0.5, None),
        ((GOING_AWAY, ""), False, 0.5, None),
        (None, False, 0.5, None),
    ],
    ids=[
        "at once",
        "a second later",
        "at once, to come again",
        "later, to come again",
        "once it was let in",
        "at its own end",
        "without a word",
    ],
)
def test_who_is_told_to_go_before_it_is_let_in_was_refused(closing, was_let_in, age_s, reason):
    assert reason == refusal_in(closing, was_let_in=was_let_in, age_s=age_s)


def test_those_taken_for_lost_before_the_age_was_known_are_given_back():
    lifetimes, counters = Lifetimes(), Counters()
    counters.lost = 2
    told = [
        has_expired(
            lifetimes, counters, (1000, "max age"), (), age_s=60.0, now_s=now_s, is_held=True
        )
        for now_s in (100.0, 107.0, 119.0)
    ]

    assert [False, False, True] == told
    assert (3, 0) == (counters.expired, counters.lost)
    assert {"connection_expired": 1} == counters.failures
    assert [60.0 * 1e6] == list(counters.lifetime)


@pytest.mark.parametrize(
    ("eldest_born_s", "is_open", "is_told"),
    [(40.0, True, False), (40.0, False, True), (97.0, True, True)],
    ids=["an older one goes on", "an older one is gone", "all are younger"],
)
def test_without_a_word_only_the_oldest_end_by_their_age(eldest_born_s, is_open, is_told):
    others = [
        SimpleNamespace(born_s=born_s, is_open=each_is_open)
        for born_s, each_is_open in ((eldest_born_s, is_open), (99.0, True))
    ]
    lifetimes, counters = Lifetimes(), Counters()
    told = [
        has_expired(lifetimes, counters, None, others, age_s=8.0, now_s=now_s, is_held=True)
        for now_s in (100.0, 101.0, 102.0)
    ]

    assert [False, False, is_told] == told
