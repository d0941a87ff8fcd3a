"""Every shipped dialect against frames as the protocols' own documentation shows them.

A story is what the client says first, then frames of the target, each with what becomes of it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from capacity.settings.dialect import load_dialect
from capacity.workload.conversation import Conversation, Kind
from capacity.workload.dialects.address import channel_name
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.moment import clock_by

DIALECTS = Path(__file__).parents[2] / "config" / "dialects"
NOW_MS = 1_700_000_000_000


@dataclass(frozen=True, kw_only=True)
class Story:
    """One connection that follows *follows*, channel and symbol."""

    name: str
    follows: tuple[tuple[str, str], ...]
    says: tuple[object, ...]
    """First frames of the client."""
    hears: tuple[tuple[object, Kind, object], ...]
    """Frame of the target, what it is, and the answer (the updates missing, for an update)."""
    published_at: float | None = None
    """Of the last update, epoch seconds."""


DATA, ACK, HEARTBEAT, IGNORED, REJECTED = (
    Kind.DATA,
    Kind.ACK,
    Kind.HEARTBEAT,
    Kind.IGNORED,
    Kind.REJECTED,
)


def binance_depth(first, last):
    data = {"e": "depthUpdate", "E": 1672515782136, "s": "BNBBTC", "U": first, "u": last}
    return {"stream": "bnbbtc@depth@100ms", "data": data}


def okx_books(seq, prev, action="update"):
    data = [{"asks": [], "bids": [], "ts": "1626537446491", "seqId": seq, "prevSeqId": prev}]
    return {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": data}


def coinbase_advanced(channel, number, event):
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": "2023-02-09T20:32:50.714964855Z",
        "sequence_num": number,
        "events": [event],
    }


def bybit_book(number, kind="delta"):
    data = {"s": "BTCUSDT", "b": [["16493.50", "0.006"]], "a": [], "u": number, "seq": 7961638724}
    return {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1672304484978, "data": data}


def kraken_ack(request, **result):
    return {"method": "subscribe", "req_id": request, "result": result, "success": True}


def coinbase_match(trade_id, kind="match"):
    at = "2014-11-07T08:19:27.028459Z"
    return {"type": kind, "trade_id": trade_id, "product_id": "BTC-USD", "time": at}


STORIES = (
    Story(
        name="binance",
        follows=(("depth", "bnbbtc"),),
        says=({"method": "SUBSCRIBE", "params": ["bnbbtc@depth@100ms"], "id": 1},),
        hears=(
            ({"result": None, "id": 1}, ACK, ()),
            (binance_depth(157, 160), DATA, 0),
            (binance_depth(161, 190), DATA, 0),
            (binance_depth(195, 200), DATA, 1),
        ),
        published_at=1672515782.136,
    ),
    Story(
        name="binance",
        follows=(("trade", "x"),),
        says=({"method": "SUBSCRIBE", "params": ["x@trade"], "id": 1},),
        hears=(({"code": 2, "msg": "Invalid request", "id": 1}, REJECTED, ()),),
    ),
    Story(
        name="binance-futures",
        follows=(("depth", "btcusdt"),),
        says=({"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1},),
        hears=tuple(
            (
                {
                    "stream": "btcusdt@depth@100ms",
                    "data": {"e": "depthUpdate", "E": 123456789000, "U": 1, "u": u, "pu": pu},
                },
                DATA,
                missed,
            )
            for u, pu, missed in ((160, 149, 0), (170, 160, 0), (190, 180, 1))
        ),
        published_at=123456789.0,
    ),
    Story(
        name="okx",
        follows=(("books", "BTC-USDT"), ("tickers", "BTC-USDT")),
        says=(
            {
                "op": "subscribe",
                "args": [
                    {"channel": "books", "instId": "BTC-USDT"},
                    {"channel": "tickers", "instId": "BTC-USDT"},
                ],
            },
        ),
        hears=(
            (
                {
                    "event": "subscribe",
                    "arg": {"channel": "books", "instId": "BTC-USDT"},
                    "connId": "a4d3ae55",
                },
                ACK,
                (),
            ),
            (okx_books(123456, -1, "snapshot"), DATA, 0),
            (okx_books(123457, 123456), DATA, 0),
            (okx_books(123457, 123457), DATA, 0),
            (okx_books(123460, 123459), DATA, 1),
            (okx_books(200000, -1, "snapshot"), DATA, 0),
            ({"event": "notice", "code": "64008", "msg": "upgrade", "connId": "x"}, IGNORED, ()),
            ("pong", HEARTBEAT, ()),
            ({"event": "error", "code": "60012", "msg": "no", "connId": "x"}, REJECTED, ()),
        ),
        published_at=1626537446.491,
    ),
    Story(
        name="bybit",
        follows=(("book", "BTCUSDT"),),
        says=({"op": "subscribe", "req_id": "1", "args": ["orderbook.50.BTCUSDT"]},),
        hears=(
            (
                {"success": True, "ret_msg": "subscribe", "req_id": "1", "op": "subscribe"},
                ACK,
                (),
            ),
            (bybit_book(18521288, "snapshot"), DATA, 0),
            (bybit_book(18521289), DATA, 0),
            (bybit_book(18521292), DATA, 2),
            (bybit_book(1, "snapshot"), DATA, 0),
            ({"success": True, "ret_msg": "pong", "op": "ping"}, HEARTBEAT, ()),
        ),
        published_at=1672304484.978,
    ),
    Story(
        name="kraken",
        follows=(("book", "MATIC/USD"), ("trade", "MATIC/USD")),
        says=(),
        hears=(
            (
                {"channel": "status", "type": "update", "data": [{"system": "online"}]},
                ACK,
                (
                    {
                        "method": "subscribe",
                        "params": {"channel": "book", "symbol": ["MATIC/USD"], "depth": 10},
                        "req_id": 1,
                    },
                    {
                        "method": "subscribe",
                        "params": {"channel": "trade", "symbol": ["MATIC/USD"]},
                        "req_id": 2,
                    },
                ),
            ),
            (kraken_ack(2, channel="trade", symbol="MATIC/USD"), ACK, ()),
            (kraken_ack(1, channel="book", symbol="MATIC/USD"), ACK, ()),
            ({"channel": "heartbeat"}, HEARTBEAT, ()),
            (
                {
                    "channel": "trade",
                    "type": "update",
                    "data": [
                        {
                            "symbol": "MATIC/USD",
                            "trade_id": number,
                            "timestamp": "2023-10-06T17:35:55.440295Z",
                        }
                        for number in (7, 9)
                    ],
                },
                DATA,
                1,
            ),
            (
                {
                    "channel": "book",
                    "type": "update",
                    "data": [
                        {
                            "symbol": "MATIC/USD",
                            "bids": [{"price": 0.5657, "qty": 1098.39}],
                            "checksum": 2114181697,
                            "timestamp": "2023-10-06T17:35:55.440295Z",
                        }
                    ],
                },
                DATA,
                0,
            ),
        ),
        published_at=1696613755.440295,
    ),
    Story(
        name="coinbase-exchange",
        follows=(("matches", "BTC-USD"), ("ticker", "BTC-USD")),
        says=(
            {
                "type": "subscribe",
                "channels": [
                    {"name": "matches", "product_ids": ["BTC-USD"]},
                    {"name": "ticker", "product_ids": ["BTC-USD"]},
                ],
            },
        ),
        hears=(
            ({"type": "subscriptions", "channels": [{"name": "matches"}]}, ACK, ()),
            (coinbase_match(10, "last_match"), DATA, 0),
            (coinbase_match(11), DATA, 0),
            (coinbase_match(13), DATA, 1),
        ),
        published_at=1415348367.028459,
    ),
    Story(
        name="coinbase-exchange",
        follows=(("level2", "NO-USD"),),
        says=(
            {
                "type": "subscribe",
                "channels": [{"name": "level2_batch", "product_ids": ["NO-USD"]}],
            },
        ),
        hears=(
            (
                {
                    "type": "error",
                    "message": "Failed to subscribe",
                    "reason": "NO-USD is not valid",
                },
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="hyperliquid",
        follows=(("book", "BTC"), ("trades", "SOL")),
        says=(
            {"method": "subscribe", "subscription": {"type": "l2Book", "coin": "BTC"}},
            {"method": "subscribe", "subscription": {"type": "trades", "coin": "SOL"}},
        ),
        hears=(
            *(
                (
                    {
                        "channel": "subscriptionResponse",
                        "data": {
                            "method": "subscribe",
                            "subscription": {"type": kind, "coin": coin},
                        },
                    },
                    ACK,
                    (),
                )
                for kind, coin in (("trades", "SOL"), ("l2Book", "BTC"))
            ),
            ({"channel": "pong"}, HEARTBEAT, ()),
            (
                {"channel": "trades", "data": [{"coin": "SOL", "time": NOW_MS, "tid": 1}] * 2},
                DATA,
                0,
            ),
            (
                {
                    "channel": "l2Book",
                    "data": {"coin": "BTC", "time": NOW_MS, "levels": [[], []]},
                },
                DATA,
                0,
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="signalr",
        follows=(("updates", "A"),),
        says=('{"protocol":"json","version":1}\x1e',),
        hears=(
            (
                {},
                ACK,
                ('{"type":1,"invocationId":"2","target":"Subscribe","arguments":["A"]}\x1e',),
            ),
            ({"type": 3, "invocationId": "2", "result": None}, ACK, ()),
            ({"type": 6}, HEARTBEAT, ()),
            *(
                (
                    {
                        "type": 1,
                        "target": "tick",
                        "arguments": [{"symbol": "A", "seq": seq, "ts": NOW_MS}],
                    },
                    DATA,
                    missed,
                )
                for seq, missed in ((1, 0), (2, 0), (4, 1))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="graphql",
        follows=(("ticks", "A"), ("ticks", "B")),
        says=({"type": "connection_init"},),
        hears=(
            (
                {"type": "connection_ack"},
                ACK,
                tuple(
                    {
                        "id": symbol,
                        "type": "subscribe",
                        "payload": {
                            "query": (
                                "subscription ($symbol: String!)"
                                " { tick(symbol: $symbol) { seq ts } }"
                            ),
                            "variables": {"symbol": symbol},
                        },
                    }
                    for symbol in "AB"
                ),
            ),
            ({"type": "ping"}, HEARTBEAT, ({"type": "pong"},)),
            ({"id": "B", "type": "error", "payload": [{"message": "no B"}]}, REJECTED, ()),
            (
                {
                    "id": "A",
                    "type": "next",
                    "payload": {"data": {"tick": {"seq": 1, "ts": NOW_MS}}},
                },
                DATA,
                0,
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="phoenix",
        follows=(("updates", "A"),),
        says=(["1", "1", "feed:A", "phx_join", {}],),
        hears=(
            (["1", "1", "feed:A", "phx_reply", {"status": "ok", "response": {}}], ACK, ()),
            ([None, "2", "phoenix", "phx_reply", {"status": "ok", "response": {}}], HEARTBEAT, ()),
            (["1", None, "feed:A", "update", {"seq": 1, "ts": NOW_MS}], DATA, 0),
            (["1", None, "feed:A", "update", {"seq": 3, "ts": NOW_MS}], DATA, 1),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="phoenix",
        follows=(("updates", "A"),),
        says=(["1", "1", "feed:A", "phx_join", {}],),
        hears=(
            (
                [
                    "1",
                    "1",
                    "feed:A",
                    "phx_reply",
                    {"status": "error", "response": {"reason": "unauthorized"}},
                ],
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="centrifugo",
        follows=(("updates", "news"),),
        says=({"id": 1, "connect": {}},),
        hears=(
            (
                {"id": 1, "connect": {"client": "42717adc", "version": "5.0.0", "ping": 25}},
                ACK,
                ({"id": 2, "subscribe": {"channel": "news"}},),
            ),
            ({"id": 2, "subscribe": {}}, ACK, ()),
            ("{}", HEARTBEAT, ("{}",)),
            *(
                (
                    {"push": {"channel": "news", "pub": {"data": {"ts": NOW_MS}, "offset": n}}},
                    DATA,
                    missed,
                )
                for n, missed in ((5, 0), (6, 0), (9, 2))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="coinbase-advanced",
        follows=(("level2", "BTC-USD"), ("ticker", "BTC-USD")),
        says=(
            {"type": "subscribe", "channel": "heartbeats"},
            {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "level2"},
            {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "ticker"},
        ),
        hears=(
            (
                coinbase_advanced("subscriptions", 0, {"subscriptions": {"level2": ["BTC-USD"]}}),
                ACK,
                (),
            ),
            (coinbase_advanced("l2_data", 1, {"product_id": "BTC-USD", "updates": []}), DATA, 0),
            (coinbase_advanced("heartbeats", 2, {"heartbeat_counter": 1}), HEARTBEAT, ()),
            (coinbase_advanced("subscriptions", 3, {"subscriptions": {}}), ACK, ()),
            (coinbase_advanced("subscriptions", 4, {"subscriptions": {}}), IGNORED, ()),
            (coinbase_advanced("ticker", 5, {"tickers": [{"product_id": "BTC-USD"}]}), DATA, 0),
        ),
        published_at=1675974770.714964,
    ),
    Story(
        name="binance-sbe",
        follows=(("best", "btcusdt"),),
        says=({"method": "SUBSCRIBE", "params": ["btcusdt@bestBidAsk"], "id": 1},),
        hears=(({"result": None, "id": 1}, ACK, ()), ("\x32\0\x11\x27\x01\0\0\0", DATA, 0)),
    ),
    Story(
        name="stomp",
        follows=(("updates", "BTC"),),
        says=("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n\n\0",),
        hears=(
            (
                "CONNECTED\nversion:1.2\nserver:RabbitMQ/3.10.8\nsession:s-1\nheart-beat:0,0\n\n\0",
                ACK,
                ("SUBSCRIBE\nid:/topic/BTC\ndestination:/topic/BTC\nack:auto\nreceipt:2\n\n\0",),
            ),
            ("RECEIPT\nreceipt-id:2\n\n\0", ACK, ()),
            *(
                (
                    (
                        f"MESSAGE\nsubscription:/topic/BTC\ndestination:/topic/BTC\nmessage-id:m{n}\n\n"
                        f'{{"seq":{n},"ts":{NOW_MS}}}\0'
                    ),
                    DATA,
                    missed,
                )
                for n, missed in ((5, 0), (7, 1))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="stomp",
        follows=(("updates", "BTC"),),
        says=("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n\n\0",),
        hears=(("ERROR\nmessage:Bad CONNECT\n\nAccess refused\0", REJECTED, ()),),
    ),
    Story(
        name="mqtt",
        follows=(("updates", "BTC"),),
        says=(b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",),
        hears=(
            (b"\x20\x02\0\0", ACK, (b"\x82\x0b\0\x02\0\x06md/BTC\0",)),
            (b"\x90\x03\0\x02\0", ACK, ()),
            (b"\xd0\0", HEARTBEAT, ()),
            *(
                (b"\x30\x24\0\x06md/BTC" + b'{"seq":%d,"ts":%d}' % (n, NOW_MS), DATA, missed)
                for n, missed in ((1, 0), (4, 2))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="mqtt",
        follows=(("updates", "BTC"),),
        says=(b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",),
        hears=((b"\x20\x02\0\x05", REJECTED, ()),),
    ),
    Story(
        name="nats",
        follows=(("updates", "BTC"),),
        says=(),
        hears=(
            (
                'INFO {"server_id":"NA","version":"2.15.1","max_payload":1048576}\r\n',
                ACK,
                (
                    (
                        'CONNECT {"verbose":true,"pedantic":false,"protocol":1,"lang":"capacity",'
                        '"version":"1"}\r\n'
                    ),
                ),
            ),
            ("+OK\r\n", ACK, ("SUB md.BTC 2\r\n",)),
            ("+OK\r\n", ACK, ()),
            ("PING\r\n", HEARTBEAT, ("PONG\r\n",)),
            (f'MSG md.BTC 2 31\r\n{{"seq":1,"ts":{NOW_MS}}}\r\n', DATA, 0),
            (f'MSG md.BTC 2 31\r\n{{"seq":4,"ts":{NOW_MS}}}\r\n', DATA, 2),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="socket-io",
        follows=(("updates", "BTC"),),
        says=(),
        hears=(
            ('0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}', ACK, ("40",)),
            ('40{"sid":"def"}', ACK, ('422["subscribe",{"channel":"BTC"}]',)),
            ("432[]", ACK, ()),
            ("2", HEARTBEAT, ("3",)),
            *(
                (f'42["update",{{"channel":"BTC","seq":{n},"ts":{NOW_MS}}}]', DATA, missed)
                for n, missed in ((1, 0), (3, 1))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="event-stream",
        follows=(("updates", "BTC"),),
        says=(),
        hears=tuple(
            (f'id: {n}\ndata: {{"seq":{n},\ndata: "ts":{NOW_MS}}}', DATA, missed)
            for n, missed in ((1, 0), (4, 2))
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="long-poll",
        follows=(("updates", "BTC"),),
        says=(),
        hears=tuple(({"seq": n, "ts": NOW_MS}, DATA, missed) for n, missed in ((1, 0), (4, 2))),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="json-echo",
        follows=(("echo", ""),),
        says=(),
        hears=(
            ({"id": 1, "t": NOW_MS}, DATA, 0),
            ({"id": 3, "t": NOW_MS}, DATA, 1),
        ),
        published_at=NOW_MS / 1000,
    ),
)


def as_bytes(frame):
    if isinstance(frame, bytes):
        return frame
    return frame.encode() if isinstance(frame, str) else orjson.dumps(frame)


def as_sent(frame, like):
    """Return a frame that was sent as it is written in the story."""
    if isinstance(like, bytes):
        return frame
    return frame.decode() if isinstance(like, str) else json.loads(frame)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_shipped_dialect_speaks_as_its_documentation_shows(story):
    source = load_dialect(DIALECTS / f"{story.name}.yaml")
    channels = [channel_name(source, channel, symbol) for channel, symbol in story.follows]
    talk = Conversation(
        compile_dialect(source), channels, lambda: {"now_ms": NOW_MS, "connection": 0}
    )
    published_at = None
    sent = talk.start()

    assert len(sent) == len(story.says)
    assert list(story.says) == [as_sent(*pair) for pair in zip(sent, story.says, strict=True)]
    for frame, kind, expected in story.hears:
        (reception,) = talk.receive_all(as_bytes(frame))
        assert (kind, frame) == (reception.kind, frame), reception
        if kind is DATA:
            published_at = reception.published_at_s
            assert expected == reception.missed
        else:
            assert list(expected) == [
                as_sent(*pair) for pair in zip(reception.replies, expected, strict=True)
            ]
    assert not talk.pending or kind is REJECTED
    assert story.published_at == published_at


def test_every_shipped_dialect_has_a_story():
    told = {story.name for story in STORIES}
    # Those of the bundled exchange and of plain pushes have tests of their own in tests/workload.
    assert {path.stem for path in DIALECTS.glob("*.yaml")} - told == {
        "deribit",
        "json-push",
        "url-subscribe",
    }


def test_what_json_echo_sends_is_the_update_that_comes_back():
    source = load_dialect(DIALECTS / "json-echo.yaml")
    talk = Conversation(compile_dialect(source), ["echo"], lambda: {"now_ms": NOW_MS})
    talk.start()
    receptions = [talk.receive(talk.every(0)) for _ in range(3)]

    assert [(DATA, 0, NOW_MS / 1000)] * 3 == [
        (each.kind, each.missed, each.published_at_s) for each in receptions
    ]
    assert clock_by(source.time) is not None
