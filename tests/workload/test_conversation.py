"""One connection's conversation, with frames of the shapes that Deribit and others send."""

import itertools
import json
import sys
import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.domain.errors import ProtocolError
from capacity.settings.dialect import load_dialect, parse
from capacity.workload.conversation import Conversation, Kind, Reception
from capacity.workload.dialects.compiled import CompiledDialect, compile_dialect

DIALECTS = Path(__file__).parents[2] / "config" / "dialects"
BOOK = "book.BTC_USDC-PERPETUAL.100ms"
TICKER = "ticker.BTC-PERPETUAL.100ms"
TRADES = "trades.BTC-PERPETUAL.100ms"
DERIBIT = compile_dialect(load_dialect(DIALECTS / "deribit.yaml"))

PUSH = {
    "dialect": 1,
    "name": "push",
    "ws": {"url": "ws://{host}:{port}/"},
    "channels": {"a": {"wire": "{symbol}"}},
    "data": {"where": {"seq": {"exists": True}}, "key": "ch"},
    "sequence": [{"rule": "plus_one", "seq": "seq"}],
}


def dialect(**changes) -> CompiledDialect:
    return compile_dialect(parse(PUSH | changes))


def following(*channels: str) -> Conversation:
    """Return a Deribit conversation whose subscriptions to *channels* are confirmed."""
    conversation = Conversation(DERIBIT, channels)
    (frame,) = conversation.subscribe()
    answer = {"jsonrpc": "2.0", "id": orjson.loads(frame)["id"], "result": list(channels)}
    assert conversation.receive(orjson.dumps(answer)).kind is Kind.ACK
    return conversation


def update(channel: str, data: object) -> bytes:
    params = {"channel": channel, "data": data}
    return orjson.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params})


def change(prev: int, this: int) -> bytes:
    data = {
        "type": "change",
        "timestamp": 1655395168086,
        "prev_change_id": prev,
        "change_id": this,
        "instrument_name": "BTC_USDC-PERPETUAL",
        "bids": [["new", 20977, 0.109], ["delete", 20975, 0]],
        "asks": [],
    }
    return update(BOOK, data)


def snapshot(this: int) -> bytes:
    data = {
        "type": "snapshot",
        "timestamp": 1655395057025,
        "change_id": this,
        "bids": [["new", 20987, 0.487]],
    }
    return update(BOOK, data)


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


def test_an_update_tells_its_channel_and_time_of_publication():
    reception = following(TICKER).receive(
        update(TICKER, {"timestamp": 1655395057025, "state": "open", "best_bid_price": 20987})
    )

    assert reception == Reception(Kind.DATA, TICKER, 1655395057.025, updates=1)


def test_one_planted_gap_in_a_linked_sequence_is_one_missing_update():
    conversation = following(BOOK)
    ids = list(range(1000, 3000, 7))
    frames = [snapshot(ids[0])] + [change(prev, this) for prev, this in itertools.pairwise(ids)]
    del frames[100]
    receptions = [conversation.receive(frame) for frame in frames]

    assert [reception.missed for reception in receptions] == [0] * 100 + [1] + [0] * (
        len(frames) - 101
    )
    assert {reception.kind for reception in receptions} == {Kind.DATA}


def test_a_snapshot_in_the_middle_starts_the_numbering_anew():
    conversation = following(BOOK)
    frames = [snapshot(1), change(1, 5), snapshot(90), change(90, 95)]

    assert [conversation.receive(frame).missed for frame in frames] == [0, 0, 0, 0]


def test_numbers_left_out_of_lists_are_counted():
    conversation = following(TRADES)
    frames = [
        update(TRADES, [{"trade_seq": n, "timestamp": 1655395000000 + n} for n in numbers])
        for numbers in ([1, 2, 3], [4], [7, 8, 10])
    ]
    receptions = [conversation.receive(frame) for frame in frames]

    assert [reception.missed for reception in receptions] == [0, 0, 2 + 1]
    assert receptions[2].published_at_s == 1655395000.010


def test_channels_have_numberings_of_their_own():
    conversation = Conversation(dialect(), ("a", "b"))
    conversation.subscribe()
    frames = [(ch, n) for n in range(10) for ch in ("a", "b") if (ch, n) != ("b", 5)]
    missed = {
        (ch, n): conversation.receive(orjson.dumps({"ch": ch, "seq": n})).missed for ch, n in frames
    }

    assert {key for key, count in missed.items() if count} == {("b", 6)}
    assert missed["b", 6] == 1


def test_a_numbering_of_the_connection_spans_its_channels():
    rules = [{"rule": "plus_one", "seq": "seq", "scope": "connection"}]
    conversation = Conversation(dialect(sequence=rules), ("a", "b"))
    conversation.subscribe()
    missed = [
        conversation.receive(orjson.dumps({"ch": ch, "seq": n})).missed
        for n, ch in ((1, "a"), (2, "b"), (3, "a"), (6, "b"))
    ]

    assert missed == [0, 0, 0, 2]


def test_channels_that_updates_do_not_name_are_not_checked_for_gaps():
    unnamed = {"where": {"seq": {"exists": True}}}
    alone = Conversation(dialect(data=unnamed), ("a",))
    together = Conversation(dialect(data=unnamed), ("a", "b"))
    frames = [b'{"seq":1}', b'{"seq":9}']

    assert [alone.receive(frame).missed for frame in frames] == [0, 7]
    assert [together.receive(frame).missed for frame in frames] == [0, 0]


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
        Kind.UNMATCHED, problem='no rule for: {"id":7,"error":{"code":1}}'
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


def test_an_update_of_a_channel_never_asked_for_is_unmatched():
    reception = following(TICKER).receive(snapshot(1))

    assert reception.kind is Kind.UNMATCHED
    assert reception.problem is not None
    assert reception.problem.startswith("an update of a channel not subscribed to: {")


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


def test_a_pushed_update_to_an_idle_connection_is_still_a_delivery():
    push = compile_dialect(load_dialect(DIALECTS / "json-push.yaml"))

    assert Conversation(push).receive(b'{"seq":1,"ts":1000}') == Reception(
        Kind.DATA, None, 1.0, updates=1
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"timestamp": 1655395057025}, "no whole number at change_id"),
        ({"timestamp": 1655395057025, "change_id": "7a"}, "no whole number at change_id"),
        ({"timestamp": 1655395057025, "change_id": True}, "no whole number at change_id"),
        (7, "no whole number at change_id"),
    ],
)
def test_an_update_without_its_number_is_told_as_a_problem_not_as_no_gap(data, problem):
    conversation = following(BOOK)
    conversation.receive(snapshot(1))
    reception = conversation.receive(update(BOOK, data))

    assert (reception.kind, reception.missed) == (Kind.DATA, 0)
    assert reception.problem == problem
    assert (reception.updates, reception.numbered) == (1, 0)
    assert conversation.receive(change(1, 5)).missed == 0


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "empty: "),
        (b"7", "neither a JSON object nor a list: 7"),
        (b"\xff\xfe", "not JSON: 2 bytes: ff fe"),
        (b"[1]", "no rule for: [1]"),
        (b"[" * 5000, "not JSON: " + "[" * 120),
        (b'{"method":"subscription"}', "an update without its channel: "),
        (
            b'{"method":"subscription","params":{"channel":["x"]}}',
            "an update without its channel: ",
        ),
        (b'{"method":"subscription","params":[]}', "an update without its channel: "),
        (
            b'{"method":"subscription","params":{"channel":"%b"}}' % BOOK.encode(),
            "an update without its content: ",
        ),
    ],
)
def test_a_frame_of_no_use_is_unmatched_and_shown(payload, problem):
    reception = following(BOOK).receive(payload)

    assert reception.kind is Kind.UNMATCHED
    assert (reception.problem or "").startswith(problem)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([BOOK, TRADES, "subscription", "heartbeat", "test_request", "connect"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "result",
                    "error",
                    "method",
                    "params",
                    "channel",
                    "data",
                    "type",
                    "timestamp",
                    "change_id",
                    "prev_change_id",
                    "trade_seq",
                    "code",
                    "message",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
HOSTILE = st.one_of(
    st.binary(max_size=200),
    JSON.map(json.dumps).map(str.encode),
    st.builds(update, st.sampled_from([BOOK, TRADES, TICKER]), JSON),
    st.builds(lambda answer: orjson.dumps({"id": 1, "result": answer}), JSON),
)


@settings(max_examples=max(100, settings.default.max_examples))
@given(st.lists(HOSTILE, max_size=6))
def test_nothing_that_a_target_sends_raises(payloads):
    conversation = Conversation(DERIBIT, (BOOK, TRADES))
    conversation.opening()
    conversation.subscribe()
    for payload in payloads:
        reception = conversation.receive(payload)

        assert reception.missed >= 0
        assert (reception.problem is None) or reception.kind in {
            Kind.DATA,
            Kind.REJECTED,
            Kind.UNMATCHED,
        }
        assert reception.published_at_s is None or 0 < reception.published_at_s < 1e11
        assert conversation.live <= {BOOK, TRADES}


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 6),
        st.binary(max_size=6) | st.sampled_from([b"9" * 400, b"1e999", b"-0", b'"', b"}", b"\xff"]),
    ),
    max_size=3,
)


def edited(payload: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """Replace bytes somewhere within *payload*, or put some between."""
    for place, length, replacement in edits:
        at = round(place * len(payload))
        payload = payload[:at] + replacement + payload[at + length :]
    return payload


@settings(max_examples=max(100, settings.default.max_examples))
@given(
    st.lists(
        st.tuples(st.sampled_from((TICKER, BOOK)), st.integers(-1, 3), EDITS),
        min_size=1,
        max_size=12,
    )
)
def test_no_change_to_an_update_makes_the_glance_at_it_raise(steps):
    conversation = following(TICKER, BOOK)
    ticker = {"timestamp": 1655395057025, "last_price": 1.5}
    conversation.receive(snapshot(1))
    number = 1
    for channel, advance, edits in steps:
        payload = change(number, number + advance) if channel == BOOK else update(TICKER, ticker)
        number += advance
        payload = edited(payload, edits)
        published_at_s = conversation.glance(payload)
        if published_at_s is None:
            reception = conversation.receive(payload)
            published_at_s = reception.published_at_s

            assert reception.missed >= 0
        assert published_at_s is None or 0 < published_at_s < 1e11


@given(st.sets(st.integers(1, 199), max_size=60))
def test_every_update_left_out_of_a_dense_sequence_is_counted_once(left_out):
    conversation = Conversation(dialect(), ("a",))
    conversation.subscribe()
    missed = sum(
        conversation.receive(orjson.dumps({"ch": "a", "seq": n})).missed
        for n in range(201)
        if n not in left_out
    )

    assert missed == len(left_out)


def test_a_ticker_is_understood_within_the_generator_s_budget():
    conversation = following(TICKER)
    stats = {"high": 0.0355, "low": 0.0305, "price_change": -1.2345, "volume_usd": 123456.78}
    data = {"timestamp": 1655395057025, "stats": stats, "pad": "x" * 560}
    frame = update(TICKER, data)
    best_s = min(_seconds_for(conversation, frame, 2000) for _ in range(5))

    assert 700 < len(frame) < 800
    # Measured 3 µs; the bound leaves room for slow and busy machines.
    assert best_s / 2000 < 20e-6


def _seconds_for(conversation: Conversation, frame: bytes, count: int) -> float:
    started_s = time.process_time()
    for _ in range(count):
        conversation.receive(frame)
    return time.process_time() - started_s


def test_a_conversation_holds_nothing_of_the_dialect():
    conversation = following(BOOK)

    assert not hasattr(conversation, "__dict__")
    assert sys.getsizeof(conversation) < 128


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
