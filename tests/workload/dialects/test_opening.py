"""Steps between the handshake and the subscriptions, in dialects of several kinds."""

import hmac

import orjson
import pytest

from capacity.settings.dialect import parse
from capacity.workload.conversation import Conversation, Kind
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.opening import Opening

LOGIN = {
    "send": {"op": "login", "args": [{"key": "{api_key}", "sign": "{sign}", "at": "{now_s:str}"}]},
    "answer": {
        "where": {"event": {"in": ["login", "error"]}},
        "ok": {"code": "0"},
        "error": {"where": {"event": "error"}, "code": "code", "message": "msg"},
    },
}
BASE = {
    "dialect": 1,
    "name": "steps",
    "ws": {"url": "ws://{host}:{port}/"},
    "needs": ["api_key", "api_secret"],
    "signatures": {
        "sign": {"function": "hmac_sha256", "key": "{api_secret}", "text": "{now_s}GET/verify"}
    },
    "channels": {"a": {"wire": "{symbol}"}},
    "subscribe": {
        "send": {"op": "subscribe", "args": "{channels:list}"},
        "ack": {"where": {"event": "subscribe"}},
    },
    "data": {"where": {"data": {"exists": True}}, "key": "ch"},
}


def values():
    return {"api_key": "k", "api_secret": "s", "now_s": 1700000000}


def talk(*steps, **changes):
    dialect = compile_dialect(parse(BASE | {"opening": list(steps)} | changes))
    return Conversation(dialect, ("x",), values)


def test_the_subscriptions_wait_for_the_answer_to_the_login():
    conversation = talk(LOGIN)
    (login,) = map(orjson.loads, conversation.start())
    before = conversation.pending, conversation.may_subscribe("x")
    reception = conversation.receive(b'{"event":"login","code":"0"}')

    sign = hmac.new(b"s", b"1700000000GET/verify", "sha256").hexdigest()
    assert login["args"] == [{"key": "k", "sign": sign, "at": "1700000000"}]
    assert before == (True, False)
    assert reception.kind is Kind.ACK
    assert reception.replies == (b'{"op":"subscribe","args":["x"]}',)
    assert conversation.receive(b'{"event":"subscribe"}').kind is Kind.ACK
    assert not conversation.pending


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b'{"event":"error","code":"60009","msg":"Login failed."}', "refused: 60009 Login failed."),
        (b'{"event":"login","code":"1"}', "answered with neither a confirmation nor an error"),
    ],
)
def test_a_refused_login_subscribes_to_nothing_and_says_why(answer, why):
    conversation = talk(LOGIN)
    conversation.start()
    reception = conversation.receive(answer)

    assert (reception.kind, reception.replies) == (Kind.REJECTED, ())
    assert reception.problem == f"opening {why}"
    assert conversation.refusal == why
    assert conversation.pending


def test_a_step_may_wait_for_what_the_target_says_first_and_keep_of_it():
    hello = {"answer": {"where": {"channel": "status"}}, "keep": {"session": "data.0.id"}}
    welcome = {
        "send": {"hello": "{session}", "id": "{id:str}"},
        "answer": {"where": {"id": "{id:str}"}},
    }
    conversation = talk(hello, welcome)

    assert conversation.start() == []
    reception = conversation.receive(b'{"channel":"status","data":[{"id":77}]}')
    assert reception.replies == (b'{"hello":77,"id":"1"}',)
    assert conversation.receive(b'{"id":"9"}').kind is Kind.UNMATCHED
    assert conversation.receive(b'{"id":"1"}').replies == (b'{"op":"subscribe","args":["x"]}',)


def test_an_answer_whose_value_the_next_frame_cannot_hold_is_a_refusal_and_raises_nothing():
    hello = {"answer": {"where": {"hello": True}}, "keep": {"session": "id"}}
    conversation = talk(hello, {"send": {"join": "{session:int}"}})
    conversation.start()
    reception = conversation.receive(b'{"hello":true,"id":"of mine"}')

    assert reception.kind is Kind.REJECTED
    assert conversation.refusal.endswith("what stands for {session:int} cannot be made that")


def test_an_answer_without_what_is_kept_is_a_refusal():
    conversation = talk({"answer": {"where": {"hello": True}}, "keep": {"token": "token"}})
    conversation.start()
    conversation.receive(b'{"hello":true}')

    assert conversation.refusal == "answered without token"


def test_steps_that_wait_for_nothing_go_out_together():
    conversation = talk({"send_text": "one"}, {"send": {"two": 2}})

    assert conversation.start() == [b"one", b'{"two":2}', b'{"op":"subscribe","args":["x"]}']


def test_a_text_can_be_an_answer():
    conversation = talk({"send_text": "hi", "answer_text": "ok"})
    conversation.start()

    assert conversation.receive(b"OK").kind is Kind.UNMATCHED
    assert conversation.receive(b"ok").kind is Kind.ACK
    assert conversation.receive(b"ok").kind is Kind.UNMATCHED


def test_messages_in_a_list_answer_steps_too():
    step = {"send": {"action": "auth"}, "answer": {"where": {"status": "auth_success"}}}
    conversation = talk(step, messages={"list": "$"})
    conversation.start()
    receptions = conversation.receive_all(b'[{"status":"auth_success"},{"ch":"y","data":1}]')

    assert [reception.kind for reception in receptions] == [Kind.ACK, Kind.UNMATCHED]


def test_opening_holds_nothing_when_the_dialect_has_no_steps():
    assert not Opening(()).is_due
    assert list(Opening(()).sendable()) == []


def test_an_update_before_the_opening_is_done_is_no_delivery_of_an_unnamed_feed():
    unnamed = {"where": {"seq": {"exists": True}}}
    conversation = talk(LOGIN, data=unnamed, time={"path": "ts", "unit": "ms"})
    conversation.start()

    assert conversation.glance(b'{"seq":1,"ts":1000}') is None


def test_a_step_of_a_recording_is_answered_under_the_id_that_its_client_had():
    step = {"send": {"id": "{id:int}", "op": "login"}, "answer": {"where": {"id": "{id:int}"}}}
    conversation = talk(step)
    conversation.start()
    conversation.readdress({"id": 41}, {42})
    before = conversation.is_opening and conversation.receive(b'{"id": 41}').kind
    conversation.readdress({"id": 42}, {42})

    assert (Kind.UNMATCHED, Kind.ACK) == (before, conversation.receive(b'{"id": 42}').kind)
    assert not conversation.is_opening
