"""One subscription more than a connection may have, as a user meets it: class, count, words, remedy."""

import pytest

ACK = {
    "where": {"id": "{id:int}"},
    "ok": {"result": {"exists": True}},
    "accepted": "result",
    "error": {
        "where": {"error": {"exists": True}},
        "code": "error.code",
        "message": "error.message",
    },
}
TOGETHER = {"send": {"id": "{id:int}", "args": "{channels:list}"}, "ack": ACK}
ONE_EACH = {"send": {"id": "{id:int}", "args": ["{channel}"]}, "ack": ACK}
BY_NAME = {"where": {"channel": {"exists": True}}, "key": "channel"}
CAP = "lower mix.subscriptions_per_connection of the profile to what it takes"


@pytest.fixture
def capped(feed):
    """Start a feed that takes two subscriptions of a connection."""
    return lambda way, subscribe: feed(
        "capped", way, 2, symbols="ABC", subscribe=subscribe, data=BY_NAME
    )


@pytest.mark.parametrize(
    ("way", "subscribe", "told", "taken"),
    [
        ("list", TOGETHER, "1 of 3 channels refused: C", " (2 here)"),
        ("error", TOGETHER, "refused: 4 Limit of 2 exceeded", ""),
        ("error", ONE_EACH, "refused: 4 Limit of 2 exceeded", " (2 here)"),
        ("close", ONE_EACH, "closed it with 1008 'too many subscriptions, at most 2'", " (2 here)"),
        ("silence", ONE_EACH, "no confirmation in time", " (2 here)"),
    ],
)
def test_the_doctor_tells_a_cap_from_a_channel_that_there_is_not(
    capped, way, subscribe, told, taken
):
    started = capped(way, subscribe)
    (finding,) = started.findings(subscriptions=3)
    (served,) = started.findings(subscriptions=2, listen_s=0.3)

    assert "does not take 3 subscriptions of one connection" in finding.statement
    assert told in finding.statement
    assert finding.remedy.startswith(f"L{CAP[1:]}{taken}")
    assert "ok" == served.status.value


def test_a_channel_that_there_is_not_is_no_cap(feed):
    started = feed(
        "partly",
        symbols="AB",
        subscribe=TOGETHER | {"ack": {**ACK, "ok": {}, "accepted": "channels"}},
    )
    (finding,) = started.findings(subscriptions=2)

    assert "refuses B (subscribe: 1 of 2 channels refused: B)" in finding.statement
    assert "Correct channels and symbols in the target file" == finding.remedy


@pytest.mark.parametrize(
    ("way", "failures"),
    [
        ("list", {"subscribe_rejected": 2}),
        ("error", {"subscribe_rejected": 2}),
        ("silence", {"subscribe_unconfirmed": 2}),
    ],
)
def test_a_run_counts_each_subscription_that_it_has_not(capped, way, failures):
    counters = capped(way, ONE_EACH).load(
        lambda counters: counters.deliveries > 4, connections=2, subscriptions=3, hold_s=0.3
    )

    assert failures == counters.failures
