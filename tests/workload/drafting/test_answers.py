"""How requests are answered."""

import json

import pytest

from capacity.workload.drafting.answers import answer_to
from capacity.workload.drafting.heard import parsed
from capacity.workload.drafting.recorded_session import Frame, Session


def session_of(asked, heard):
    said = [(frame, True) for frame in asked] + [(frame, False) for frame in heard]
    return Session(
        frames=[
            Frame(payload=json.dumps(frame).encode(), is_ours=is_ours, at_s=float(n))
            for n, (frame, is_ours) in enumerate(said)
        ]
    )


def test_an_answer_is_told_by_the_id_that_it_repeats(session):
    heard = parsed(session("deribit"))
    names = {name: (name,) for name in heard.following.names}

    assert {
        "where": {"id": "{id:int}"},
        "ok": {"result": {"exists": True}},
        "accepted": "result",
    } == answer_to(heard, 2, heard.frames[2][1], names)


def test_an_answer_for_each_channel_names_it(session):
    heard = parsed(session("bitmex"))
    names = {"trade:XBTUSD": ("trade", "XBTUSD"), "quote:XBTUSD": ("quote", "XBTUSD")}
    ack = answer_to(heard, 1, heard.frames[1][1], names)

    assert ({"request.op": "subscribe"}, "subscribe", {"success": True}) == (
        ack["where"],
        ack["channel"],
        ack["ok"],
    )


def test_an_id_that_names_a_channel_is_not_that_of_a_request():
    def told(kind, **more):
        return {"type": kind, "id": "BTC-USD", **more}

    asked, answer = told("subscribe", batched=False), told("subscribed")
    heard = parsed(session_of([asked], [answer, *(told("data", n=n) for n in range(9))]))
    names = {"BTC-USD": ("BTC-USD",)}

    assert {"where": {"type": "subscribed"}, "channel": "id"} == answer_to(heard, 0, asked, names)


def test_silence_is_no_answer(session):
    heard = parsed(session("push"))

    assert answer_to(heard, 0, {"op": "subscribe"}, {}) is None


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (
            {"event": "bts:error", "channel": "", "data": {"code": None, "message": "Incorrect."}},
            {
                "where": {"event": {"in": ["bts:subscription_succeeded", "bts:error"]}},
                "ok": {"event": "bts:subscription_succeeded"},
                "channel": "channel",
                "error": {"where": {"event": "bts:error"}, "message": "data.message"},
            },
        ),
        (
            {"event": "bts:notice", "data": "all is well"},
            {"where": {"event": "bts:subscription_succeeded"}, "channel": "channel"},
        ),
    ],
)
def test_a_refusal_that_was_recorded_is_told_from_a_confirmation(refused, expected):
    asked = {"event": "bts:subscribe", "data": {"channel": "px_btcusd"}}
    heard = [{"event": "bts:subscription_succeeded", "channel": "px_btcusd", "data": {}}, refused]
    heard += [{"event": "trade", "channel": "px_btcusd", "data": {"p": n}} for n in range(3)]
    recorded = parsed(session_of([asked], heard))

    assert expected == answer_to(recorded, 0, asked, {"px_btcusd": ("px_btcusd",)})


def test_a_refusal_with_the_id_of_its_request_is_told_by_what_else_it_has():
    asked = {"id": 7, "sub": "px_btcusd"}
    heard = [{"id": 7, "status": "ok"}, {"id": 8, "status": "error", "err-msg": "no such topic"}]
    heard += [{"ch": "px_btcusd", "tick": {"p": n}} for n in range(3)]
    recorded = parsed(session_of([asked, {"id": 8, "sub": "px_nope"}], heard))
    ack = answer_to(recorded, 0, asked, {"px_btcusd": ("px_btcusd",)})

    assert {"id": "{id:int}"} == ack["where"]
    assert {"where": {"err-msg": {"exists": True}}, "message": "err-msg"} == ack["error"]


def test_a_refusal_is_told_by_its_error_whatever_that_says_and_a_confirmation_by_its_status():
    asked = [{"id": n, "method": "depth_subscribe", "params": [f"S{n}"]} for n in (1, 2)]
    good = {"id": 1, "result": {"status": "success"}, "error": None}
    bad = {"id": 2, "result": None, "error": {"code": 2, "message": "invalid argument"}}
    updates = [{"id": None, "method": "depth_update", "params": ["S1", n]} for n in range(3)]
    ack = answer_to(parsed(session_of(asked, [good, bad, *updates])), 0, asked[0], {"S1": ("S1",)})

    assert {
        "where": {"id": "{id:int}"},
        "ok": {"result.status": "success"},
        "error": {
            "where": {"error.message": {"exists": True}},
            "code": "error.code",
            "message": "error.message",
        },
    } == ack
