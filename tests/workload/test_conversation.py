"""One connection's conversation, with frames of the shapes that Deribit and others send."""

import runpy
from pathlib import Path

import orjson
import pytest

from capacity.domain.errors import ProtocolError
from capacity.settings.dialect import load_dialect
from capacity.workload.conversation import Conversation, Kind, Reception
from capacity.workload.dialects.compiled import compile_dialect

FRAMES = runpy.run_path(str(Path(__file__).with_name("conversation_frames.py")))
DIALECTS, BOOK, TICKER = FRAMES["DIALECTS"], FRAMES["BOOK"], FRAMES["TICKER"]
TRADES, DERIBIT, dialect = FRAMES["TRADES"], FRAMES["DERIBIT"], FRAMES["dialect"]
following, update = FRAMES["following"], FRAMES["update"]


def test_a_connection_opens_with_the_heartbeat_and_subscribes_in_one_frame():
    conversation = Conversation(DERIBIT, (BOOK, TICKER))
    opening = [orjson.loads(frame) for frame in conversation.opening()]
    subscribe = [orjson.loads(frame) for frame in conversation.subscribe()]

    assert opening == [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "public/set_heartbeat",
            "params": {"interval": 30},
        }
    ]
    assert subscribe == [
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "public/subscribe",
            "params": {"channels": [BOOK, TICKER]},
        }
    ]
    assert conversation.pending
    assert conversation.live == set()


def test_the_answer_makes_the_channels_live():
    conversation = following(BOOK, TICKER)

    assert conversation.live == {BOOK, TICKER}
    assert not conversation.pending


def test_a_partial_answer_rejects_what_it_leaves_out():
    conversation = Conversation(DERIBIT)
    conversation.subscribe([BOOK, TICKER])
    reception = conversation.receive(b'{"jsonrpc":"2.0","id":1,"result":["%b"]}' % TICKER.encode())

    assert reception == Reception(
        Kind.REJECTED, problem=f"subscribe: 1 of 2 channels refused: {BOOK}", refused=1
    )
    assert conversation.live == {TICKER}
    assert not conversation.pending
    assert conversation.may_subscribe(BOOK)
    assert not conversation.may_subscribe(TICKER)


def test_an_error_answer_rejects_all_channels_with_code_and_message():
    conversation = Conversation(DERIBIT)
    conversation.subscribe([BOOK])
    reception = conversation.receive(
        b'{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests"}}'
    )

    assert reception.kind is Kind.REJECTED
    assert reception.problem == "subscribe: refused: 10028 too_many_requests"
    assert conversation.live == set()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"result": "ok"}, "answered without the list of accepted channels"),
        ({"result": None}, "answered without the list of accepted channels"),
        ({}, "answered with neither a confirmation nor an error"),
        ({"result": [[BOOK], {"a": 1}, 7]}, f"1 of 1 channels refused: {BOOK}"),
        ({"error": "no"}, "refused"),
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_refusal(answer, problem):
    conversation = Conversation(DERIBIT)
    conversation.subscribe([BOOK])
    reception = conversation.receive(orjson.dumps({"id": 1, **answer}))

    assert reception == Reception(Kind.REJECTED, problem=f"subscribe: {problem}", refused=1)


@pytest.mark.parametrize("other", ['"1"', "1.0", "true", "[1]", "{}", "99", "null"])
def test_an_answer_with_another_id_answers_nothing(other):
    conversation = Conversation(DERIBIT)
    conversation.subscribe([BOOK])
    conversation.receive(f'{{"id":{other},"result":["{BOOK}"]}}'.encode())

    assert conversation.pending


def test_requests_are_split_into_batches_that_are_answered_in_any_order():
    names = [f"quote.I{n}" for n in range(250)]
    conversation = Conversation(DERIBIT, names)
    frames = [orjson.loads(frame) for frame in conversation.subscribe()]
    for frame in reversed(frames):
        assert conversation.pending
        conversation.receive(
            orjson.dumps({"id": frame["id"], "result": frame["params"]["channels"]})
        )

    assert [len(frame["params"]["channels"]) for frame in frames] == [100, 100, 50]
    assert conversation.live == set(names)
    assert not conversation.pending


def test_a_test_request_is_answered_with_a_fresh_id():
    conversation = following(BOOK)
    reception = conversation.receive(
        b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'
    )

    assert reception.kind is Kind.HEARTBEAT
    assert [orjson.loads(reply) for reply in reception.replies] == [
        {"jsonrpc": "2.0", "id": 2, "method": "public/test", "params": {}}
    ]


def test_a_plain_heartbeat_needs_no_answer():
    frame = b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}'

    assert following(BOOK).receive(frame) == Reception(Kind.HEARTBEAT)


def test_answers_to_heartbeat_requests_are_ignored_unless_they_are_errors():
    conversation = following(BOOK)

    assert conversation.receive(b'{"id":7,"result":"ok"}').kind is Kind.IGNORED
    assert conversation.receive(b'{"id":7,"error":{"code":1}}') == Reception(
        Kind.UNMATCHED, problem='an error that answers no request: {"id":7,"error":{"code":1}}'
    )


def test_text_heartbeats_work_beside_json():
    rules = [{"when_text": "ping", "send_text": "pong"}, {"when_text": "pong"}]
    conversation = Conversation(dialect(heartbeat=rules))

    assert conversation.receive(bytearray(b"ping")).replies == (b"pong",)
    assert conversation.receive(b"pong") == Reception(Kind.HEARTBEAT)
    assert conversation.receive(b"pang").problem == "not JSON: pang"


def test_periodic_sends_carry_a_fresh_id_each_time():
    rules = [
        {"every_s": 20, "send": {"op": "ping", "id": "{id:str}"}},
        {"every_s": 5, "send_text": "x"},
    ]
    conversation = Conversation(dialect(heartbeat=rules))

    assert [conversation.every(rule) for rule in (0, 1, 0)] == [
        b'{"op":"ping","id":"1"}',
        b"x",
        b'{"op":"ping","id":"3"}',
    ]


def test_unsubscribed_channels_end_and_can_be_followed_again_without_a_false_gap():
    conversation = following(TRADES, TICKER)
    conversation.receive(update(TRADES, [{"trade_seq": 5}]))
    (frame,) = conversation.unsubscribe([TRADES])
    assert conversation.pending
    late = conversation.receive(update(TRADES, [{"trade_seq": 6}]))
    conversation.receive(orjson.dumps({"id": orjson.loads(frame)["id"], "result": [TRADES]}))
    afterwards = conversation.receive(update(TRADES, [{"trade_seq": 7}]))
    live = conversation.live
    (frame,) = conversation.subscribe([TRADES])
    conversation.receive(orjson.dumps({"id": orjson.loads(frame)["id"], "result": [TRADES]}))
    again = conversation.receive(update(TRADES, [{"trade_seq": 900}]))

    assert (late.kind, afterwards.kind, live) == (Kind.DATA, Kind.IGNORED, {TICKER})
    assert (again.kind, again.missed) == (Kind.DATA, 0)


def test_a_refused_unsubscribe_leaves_the_channel_live():
    conversation = following(TICKER)
    conversation.unsubscribe([TICKER])
    reception = conversation.receive(b'{"id":2,"error":{"code":11050,"message":"bad_request"}}')

    assert reception.problem == "unsubscribe: refused: 11050 bad_request"
    assert conversation.live == {TICKER}


def test_what_is_impossible_raises_and_changes_nothing():
    conversation = following(TICKER)
    with pytest.raises(ProtocolError, match="SUBSCRIBE_SENT while LIVE"):
        conversation.subscribe([BOOK, TICKER])

    assert conversation.live == {TICKER}
    assert not conversation.pending
    assert conversation.may_subscribe(BOOK)
    with pytest.raises(ProtocolError, match="dialect push has no unsubscribe"):
        Conversation(dialect()).unsubscribe(["a"])


def test_where_the_first_update_confirms_an_answer_does_not():
    subscribe = {
        "send": {"id": "{id:int}", "params": "{channels:list}"},
        "ack": {"where": {"id": "{id:int}"}, "ok": {"result": {"exists": True}}},
        "confirm": "first_data",
    }
    conversation = Conversation(dialect(subscribe=subscribe), ("a", "b"))
    conversation.subscribe()

    assert conversation.receive(b'{"id":1,"result":null}').kind is Kind.ACK
    assert (conversation.pending, conversation.live) == (True, set())
    assert conversation.receive(b'{"ch":"a","seq":1}').kind is Kind.DATA
    assert (conversation.pending, conversation.live) == (True, {"a"})
    assert conversation.receive(b'{"ch":"b","seq":1}').kind is Kind.DATA
    assert (conversation.pending, conversation.live) == (False, {"a", "b"})


def test_without_ids_an_answer_belongs_to_the_oldest_request():
    subscribe = {
        "send": {"type": "subscribe", "channel": "{channel}"},
        "ack": {
            "where": {"type": {"in": ["subscribed", "error"]}},
            "ok": {"type": "subscribed"},
            "error": {"where": {"type": "error"}, "message": "why"},
        },
    }
    conversation = Conversation(dialect(subscribe=subscribe), ("a", "b"))

    assert conversation.subscribe() == [
        b'{"type":"subscribe","channel":"a"}',
        b'{"type":"subscribe","channel":"b"}',
    ]
    assert conversation.receive(b'{"type":"subscribed"}').kind is Kind.ACK
    refusal = conversation.receive(b'{"type":"error","why":"full"}')
    assert refusal == Reception(Kind.REJECTED, problem="subscribe: refused: full", refused=1)
    assert conversation.live == {"a"}


def test_text_ids_are_matched_as_texts():
    subscribe = {
        "send": {"id": "{id:str}", "params": "{channels:list}"},
        "ack": {"where": {"id": "{id:str}"}},
    }
    conversation = Conversation(dialect(subscribe=subscribe), ("a",))

    assert conversation.subscribe() == [b'{"id":"1","params":["a"]}']
    assert conversation.receive(b'{"id":1}').kind is Kind.UNMATCHED
    assert conversation.receive(b'{"id":"1"}').kind is Kind.ACK


def test_where_the_address_subscribes_no_frame_is_sent():
    nchan = compile_dialect(load_dialect(DIALECTS / "url-subscribe.yaml"))
    conversation = Conversation(nchan, ("prices",))

    assert conversation.subscribe() == []
    assert (conversation.pending, conversation.live) == (False, {"prices"})
    assert [
        conversation.receive(b'{"seq":%d,"ts":1795379508123}' % n).missed for n in (1, 2, 4, 5)
    ] == [0, 0, 1, 0]
    assert conversation.receive(b'{"seq":6,"ts":1795379508123}') == Reception(
        Kind.DATA, "prices", 1795379508.123, updates=1, numbered=1
    )


def test_an_answer_of_a_recording_is_taken_under_the_id_that_its_client_had():
    talk = Conversation(DERIBIT, ("quote.A",), first_id=100)
    (frame,) = talk.subscribe()
    other, answer = {"id": 7, "result": {}}, {"id": 8, "result": ["quote.A"]}
    for told in (other, answer):
        talk.readdress(told, {8})

    assert 100 == orjson.loads(frame)["id"]
    assert Kind.IGNORED is talk.receive(orjson.dumps(other)).kind
    assert Kind.ACK is talk.receive(orjson.dumps(answer)).kind
    assert {"quote.A"} == talk.live
