"""What is said beside subscriptions and updates."""

import orjson

from capacity.workload.drafting.draft import drafted
from capacity.workload.drafting.recorded_session import Frame, Session


def draft(*frames):
    spoken = tuple(
        Frame(
            payload=told.encode() if isinstance(told, str) else orjson.dumps(told),
            is_ours=is_ours,
            at_s=at,
        )
        for at, is_ours, told in frames
    )
    return drafted(Session(frames=spoken), "x").sections


ASK = (0.0, True, {"op": "subscribe", "args": ["px.A"]})
UPDATES = tuple((1.0 + n, False, {"ch": "px.A", "p": n * n}) for n in range(4))


def test_an_answer_that_repeats_what_it_answers_is_a_template():
    sections = draft(
        ASK, *UPDATES, (9.0, False, {"ping": 1234567890}), (9.1, True, {"pong": 1234567890})
    )

    assert [{"when": {"ping": {"exists": True}}, "send": {"pong": "{ping}"}}] == sections[
        "heartbeat"
    ]


def test_texts_are_answered_by_texts():
    sections = draft(ASK, *UPDATES, (9.0, False, "ping"), (9.1, True, "pong"))

    assert [{"when_text": "ping", "send_text": "pong"}] == sections["heartbeat"]


def test_the_period_is_the_usual_one_nearest_to_what_was_seen():
    beats = [(10.0 + 14.6 * n, True, {"op": "ping"}) for n in range(4)]
    sections = draft(ASK, *UPDATES, *beats)

    assert [{"every_s": 15, "send": {"op": "ping"}}] == sections["heartbeat"]


def test_an_unsubscription_is_the_subscription_undone():
    sections = draft(ASK, *UPDATES, (9.0, True, {"op": "unsubscribe", "args": ["px.A"]}))

    assert {"send": {"op": "unsubscribe", "args": "{channels:list}"}} == sections["unsubscribe"]


def test_what_else_comes_is_ignored():
    sections = draft((0.0, False, {"hello": 1}), ASK, *UPDATES)

    assert [{"hello": {"exists": True}}] == sections["ignore"]
