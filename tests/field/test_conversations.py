"""Conversations with steps, echoed values, values for each connection, and a pace."""

import pytest

from capacity.domain.answers.finding import Status
from capacity.domain.errors import ConfigError

BY_NAME = {"where": {"seq": {"exists": True}}, "key": "ch"}
NUMBERED = [{"rule": "plus_one", "seq": "seq"}]
LOGIN = {
    "send": {"op": "login", "key": "{api_key}"},
    "answer": {
        "where": {"event": {"in": ["login", "error"]}},
        "ok": {"event": "login"},
        "error": {"where": {"event": "error"}, "code": "code"},
    },
}
SUBSCRIBE = {
    "send": {"op": "subscribe", "args": "{channels:list}"},
    "ack": {
        "where": {"event": {"in": ["subscribe", "error"]}},
        "ok": {"event": "subscribe"},
        "error": {"where": {"event": "error"}, "code": "code", "message": "msg"},
    },
}


def enough(count):
    return lambda counters: counters.deliveries >= count


def with_login(feed, key, **changes):
    return feed(
        "login",
        target={"values": {"api_key": key}},
        needs=["api_key"],
        opening=[LOGIN],
        subscribe=SUBSCRIBE,
        data=BY_NAME,
        sequence=NUMBERED,
        **changes,
    )


def test_subscriptions_wait_for_the_login(feed, monkeypatch):
    monkeypatch.setenv("FIELD_KEY", "right")
    started = with_login(feed, {"env": "FIELD_KEY"})
    counters = started.load(enough(10))

    assert (2, {}, 0) == (counters.connects, counters.failures, counters.gaps)
    assert [Status.OK] == [finding.status for finding in started.findings()]


def test_a_refused_login_is_said_to_be_one(feed, tmp_path):
    (tmp_path / "key").write_text("wrong\n")
    started = with_login(feed, {"file": "key"})
    counters = started.load(lambda counters: counters.failures)
    (finding,) = started.findings()

    assert {"handshake_opening_refused": 2} == counters.failures
    assert 0 == counters.connects
    assert "the target refuses what the dialect opens with (opening: refused: 60009)" in (
        finding.statement
    )
    assert "wrong" not in finding.statement


def test_a_login_sent_with_the_subscriptions_names_the_key_that_is_missing(feed):
    started = feed("login", subscribe=SUBSCRIBE, data=BY_NAME)
    (finding,) = started.findings()

    assert "Please log in" in finding.statement
    assert finding.remedy.startswith("Put the login into opening of the dialect")


def test_a_server_that_acknowledges_first_and_pings_in_json(feed):
    started = feed(
        "graphql",
        opening=[
            {"send": {"type": "connection_init"}, "answer": {"where": {"type": "connection_ack"}}}
        ],
        heartbeat=[{"when": {"type": "ping"}, "send": {"type": "pong"}}],
        subscribe={
            "send": {
                "id": "{channel}",
                "type": "subscribe",
                "payload": {"query": "{ tick { n } }"},
            },
            "confirm": "first_data",
        },
        data={"where": {"type": "next"}, "key": "id", "items": "payload.data"},
        sequence=NUMBERED,
    )
    counters = started.load(enough(10))

    assert (0, 0, {}) == (counters.gaps, counters.unmatched, counters.failures)


def test_messages_that_end_with_a_separator_both_ways_behind_a_handshake(feed):
    started = feed(
        "signalr",
        messages={"divider": "record_separator"},
        opening=[{"send": {"protocol": "json", "version": 1}, "answer_text": "{}"}],
        heartbeat=[{"every_s": 10, "send": {"type": 6}}, {"when": {"type": 6}}],
        subscribe={
            "send": {
                "type": 1,
                "invocationId": "{id:str}",
                "target": "Subscribe",
                "arguments": ["{channel}"],
            },
            "ack": {"where": {"invocationId": "{id:str}"}, "ok": {"type": 3}},
        },
        data={"where": {"type": 1}, "key": "arguments.0.s", "items": "arguments"},
        sequence=NUMBERED,
    )
    counters = started.load(enough(10))

    assert (0, 0, 0) == (counters.gaps, counters.unmatched, counters.lost)


@pytest.mark.parametrize("answer", ["{ping}", "{$.ping}", "{ping:int}"])
def test_a_ping_is_answered_with_its_own_number(feed, answer):
    rule = {"when": {"ping": {"exists": True}}, "send": {"pong": answer, "id": "{params.id}"}}
    counters = feed("pinged", heartbeat=[rule]).load(enough(30))

    assert (0, 0) == (counters.lost, counters.unmatched)


def test_a_wrong_answer_ends_the_connection_and_the_reason_is_kept(feed):
    rule = {"when": {"ping": {"exists": True}}, "send": {"pong": "{id:int}"}}
    counters = feed("pinged", heartbeat=[rule]).load(lambda counters: counters.lost == 2)

    assert ["closed with 1000 'ping timeout'"] == counters.said


def test_each_connection_has_a_row_of_its_own(feed, tmp_path):
    (tmp_path / "tokens.csv").write_text("user,token\na,row0\nb,row1\nc,row2\n")
    started = feed(
        "once",
        target={"values": {"token": {"rows": "tokens.csv", "column": "token"}}},
        ws={"url": "{scheme}://{host}:{port}/ws?token={token}"},
        needs=["token"],
    )
    counters = started.load(lambda counters: counters.deliveries > 3, connections=3)

    assert (3, {}) == (counters.connects, counters.failures)


def test_more_connections_than_rows_are_the_generator_s_fault(feed, tmp_path):
    (tmp_path / "tokens.csv").write_text("token\nrow0\nrow1\n")
    started = feed(
        "once",
        target={"values": {"token": {"rows": "tokens.csv"}}},
        ws={"url": "{scheme}://{host}:{port}/ws?token={token}"},
        needs=["token"],
    )
    counters = started.load(lambda counters: counters.failures, connections=3)

    assert {"generator_no_row": 1} == counters.failures


def test_a_token_may_be_asked_for_before_each_connect(feed):
    started = feed(
        "once",
        target={"values": {"token": {"operation": "token", "path": "data.token"}}},
        ws={"url": "{scheme}://{host}:{port}/ws?token={token}"},
        needs=["token"],
    )
    counters = started.load(lambda counters: counters.deliveries > 3, connections=3)

    assert (3, {}) == (counters.connects, counters.failures)


def test_a_token_in_the_address_is_not_shown(feed):
    started = feed(
        "once",
        target={"values": {"token": "s3cret"}},
        ws={"url": "{scheme}://{host}:{port}/ws?token={token}"},
        needs=["token"],
    )
    (finding,) = started.findings()

    assert "handshake_rejected_401" in finding.statement
    assert "s3cret" not in finding.statement


ONE_EACH = {
    "send": {"id": "{id:int}", "sub": "{channel}"},
    "ack": {
        "where": {"id": "{id:int}"},
        "ok": {"ok": True},
        "error": {"where": {"ok": False}, "message": "why"},
    },
}
TEN = tuple("ABCDEFGHIJ")


def test_requests_keep_to_the_pace_that_the_dialect_sets(feed):
    ws = {"url": "{scheme}://{host}:{port}/ws", "requests_per_s": 5}
    started = feed("paced", ws=ws, symbols=TEN, subscribe=ONE_EACH, data=BY_NAME)
    counters = started.load(
        lambda counters: len(counters.handshake_time) == 2, subscriptions=len(TEN)
    )

    assert (0, {}) == (counters.lost, counters.failures)


@pytest.mark.parametrize(
    ("how", "said"),
    [("close", "closed it with 1008 'Too many requests'"), ("refuse", "rate_limited")],
)
def test_too_many_requests_at_once_are_named_with_what_helps(feed, how, said):
    started = feed("paced", how, symbols=TEN, subscribe=ONE_EACH, data=BY_NAME)
    (finding,) = started.findings(subscriptions=len(TEN))

    assert said in finding.statement
    assert finding.remedy.startswith("Set ws.requests_per_s in the dialect")


def test_refused_channels_are_counted_one_by_one(feed):
    subscribe = {
        "send": {"id": "{id:int}", "args": "{channels:list}"},
        "ack": {"where": {"id": "{id:int}"}, "accepted": "channels"},
    }
    started = feed("partly", symbols="ABC", subscribe=subscribe, data=BY_NAME)
    counters = started.load(lambda counters: counters.failures, connections=1, subscriptions=3)

    assert {"subscribe_rejected": 1} == counters.failures
    assert ["subscribe: 1 of 3 channels refused: B"] == counters.said


def test_what_the_dialect_needs_is_asked_for_with_file_line_and_key(feed):
    started = feed("once", needs=["token"])
    with pytest.raises(ConfigError, match=r"target.yaml:\d+: values: dialect field needs token"):
        started.loaded()
