"""Open is not served: half-open connections, those that are forgotten, and those that come of age."""

import pytest

CONNECTIONS = 6


def counted(counters):
    return {name: getattr(counters, name) for name in ("unserved", "half_open", "lost", "expired")}


NONE = {"unserved": 0, "half_open": 0, "lost": 0, "expired": 0}


def test_connections_that_bring_nothing_while_others_do_are_counted(feed):
    counters = feed("forgetful").load(
        lambda counters: counters.deliveries > 40, CONNECTIONS, hold_s=1.2
    )

    assert {**NONE, "unserved": 3} == counted(counters)
    assert 6 == counters.followers


@pytest.mark.parametrize("arguments", [("dead",), ("dead", "idle")])
def test_connections_whose_other_end_is_gone_are_found_by_a_ping(feed, arguments):
    counters = feed("forgetful", *arguments).load(
        lambda counters: "idle" in arguments or counters.deliveries > 40,
        CONNECTIONS,
        hold_s=1.2,
    )

    assert {**NONE, "half_open": 3} == counted(counters)


def test_a_feed_that_flows_is_asked_nothing(feed):
    counters = feed("quiet").load(
        lambda counters: counters.deliveries > 20, CONNECTIONS, hold_s=0.8
    )

    assert (NONE, 0, 6) == (counted(counters), counters.pinged, counters.followers)


@pytest.mark.parametrize("code", [1001, 1012])
def test_connections_that_come_of_age_are_not_lost(feed, code):
    counters = feed("aging", 1.2, code).load(
        lambda counters: sum((counters.expired, counters.lost)) == CONNECTIONS,
        CONNECTIONS,
        pause_s=0.1,
    )

    assert {**NONE, "expired": CONNECTIONS} == counted(counters)
    assert [f"closed with {code} 'max connection age'"] == counters.said
