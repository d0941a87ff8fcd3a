"""What a recording shows beyond what its draft says is told in the draft's doubts."""

import orjson
import pytest

from capacity.workload.drafting.draft import drafted
from capacity.workload.drafting.recorded_session import Frame, Session

SYMBOLS = ("BTC_USDT", "ETH_USDT")


def doubts(*frames):
    spoken = tuple(
        Frame(payload=orjson.dumps(told), is_ours=is_ours, at_s=float(at))
        for at, (is_ours, told) in enumerate(frames)
    )
    return drafted(Session(frames=spoken), "x").doubts


def ask(channel, symbol):
    return (True, {"event": "subscribe", "channel": channel, "payload": [symbol]})


def told(key, channel, symbol, n):
    update = {"event": "update", "channel": channel, "result": {key: symbol, "n": n}}
    return (False, update)


def numbered(number, n):
    return (False, [number, [1.5 * n, 2, 3], n, 1_700_000_000_000 + n])


def test_a_request_that_names_its_channels_otherwise_is_told():
    asked = [ask(channel, symbol) for channel in ("trades", "book") for symbol in SYMBOLS]
    heard = [told("s", "book", symbol, n) for n in range(9) for symbol in SYMBOLS]
    heard += [told("pair", "trades", symbol, n) for n in range(4) for symbol in SYMBOLS]

    assert doubts(*asked, *heard)["channels"].startswith(
        'this asks for channels in another way: {"event":"subscribe","channel":"book"'
    )


def test_requests_that_differ_by_symbol_alone_are_of_one_kind():
    asked = [ask("book", symbol) for symbol in (*SYMBOLS, "NOPE_USDT")]
    heard = [told("s", "book", symbol, n) for n in range(9) for symbol in SYMBOLS]

    assert "channels" not in doubts(*asked, *heard)


def test_numbers_that_answers_hand_out_are_told_with_the_keys_for_them():
    asked = [(True, {"event": "subscribe", "channel": "book", "symbol": name}) for name in SYMBOLS]
    answers = [
        (False, {"event": "subscribed", "channel": "book", "chanId": 900 + n, "symbol": name})
        for n, name in enumerate(SYMBOLS)
    ]
    heard = [numbered(900 + n % 2, n) for n in range(20)]

    told = doubts(*asked, *answers, *heard)["data"]

    assert told.startswith("most frames have at 0 a number that answers hand out at chanId: write")
    assert 'subscribe.ack.alias: chanId and data.key: "0"' in told


@pytest.mark.parametrize(
    "venue", ["deribit", "okx", "kraken", "binance", "bitmex", "coinbase", "push"]
)
def test_sessions_that_a_draft_says_whole_have_no_such_doubt(session, venue):
    said = " ".join(drafted(session(venue), "x").doubts.values())

    assert "hand out" not in said
    assert "in another way" not in said


@pytest.mark.parametrize(
    ("venue", "section", "named"),
    [("gate", "channels", "gate.yaml"), ("bitfinex", "data", "alias")],
)
def test_sessions_of_such_venues_have_it(session, venue, section, named):
    assert named in drafted(session(venue), "x").doubts.get(section, "")
