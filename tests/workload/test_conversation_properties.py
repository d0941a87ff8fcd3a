"""What holds of a conversation whatever the target sends."""

import json
import runpy
import sys
import time
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.workload.conversation import Conversation, Kind

FRAMES = runpy.run_path(str(Path(__file__).with_name("conversation_frames.py")))
BOOK, TICKER, TRADES = FRAMES["BOOK"], FRAMES["TICKER"], FRAMES["TRADES"]
DERIBIT, dialect, following = FRAMES["DERIBIT"], FRAMES["dialect"], FRAMES["following"]
update, change, snapshot = FRAMES["update"], FRAMES["change"], FRAMES["snapshot"]


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


def test_a_ticker_is_understood_within_a_dozen_times_what_parsing_it_takes():
    conversation = following(TICKER)
    stats = {"high": 0.0355, "low": 0.0305, "price_change": -1.2345, "volume_usd": 123456.78}
    data = {"timestamp": 1655395057025, "stats": stats, "pad": "x" * 560}
    frame = update(TICKER, data)
    understood_s = least_s(conversation.receive, frame)
    parsed_s = least_s(orjson.loads, frame)

    assert 700 < len(frame) < 800
    # Measured 3.5 times.
    assert understood_s < 12 * parsed_s


def least_s(read, frame: bytes) -> float:
    """Return the least processor time of a few in which 2,000 frames were read."""
    return min(_seconds_for(read, frame) for _ in range(5))


def _seconds_for(read, frame: bytes) -> float:
    started_s = time.process_time()
    for _ in range(2000):
        read(frame)
    return time.process_time() - started_s


def test_a_conversation_holds_nothing_of_the_dialect():
    conversation = following(BOOK)

    assert not hasattr(conversation, "__dict__")
    assert sys.getsizeof(conversation) < 128
