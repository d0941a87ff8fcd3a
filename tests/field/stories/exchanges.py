"""Binance, OKX, Bybit and Hyperliquid, as their documentation shows them."""

import runpy
import struct
from pathlib import Path

TOLD = runpy.run_path(str(Path(__file__).with_name("story.py")))
Story = TOLD["Story"]
NOW_MS = TOLD["NOW_MS"]
DATA = TOLD["DATA"]
ACK = TOLD["ACK"]
HEARTBEAT = TOLD["HEARTBEAT"]
IGNORED = TOLD["IGNORED"]
REJECTED = TOLD["REJECTED"]


def binance_depth(first, last):
    data = {"e": "depthUpdate", "E": 1672515782136, "s": "BNBBTC", "U": first, "u": last}
    return {"stream": "bnbbtc@depth@100ms", "data": data}


BINANCE_SHUTDOWN = {
    "stream": "!serverShutdown",
    "data": {"e": "serverShutdown", "E": 1770123456789},
}
"""As web-socket-streams.md has it for combined streams."""


def okx_books(seq, prev, action="update"):
    data = [{"asks": [], "bids": [], "ts": "1626537446491", "seqId": seq, "prevSeqId": prev}]
    return {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": data}


def sbe(template, block, rest=b""):
    header = struct.pack("<HHHH", len(block), template, 1, 0)
    return header + block + rest + b"\x07BTCUSDT"


def sbe_depth(first, last):
    block = struct.pack("<qqqbb", 1672515782136000, first, last, -2, -8)
    return sbe(10003, block, struct.pack("<HHqqHH", 16, 1, 642505, 125, 16, 0))


def bybit_book(number, kind="delta"):
    data = {"s": "BTCUSDT", "b": [["16493.50", "0.006"]], "a": [], "u": number, "seq": 7961638724}
    return {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1672304484978, "data": data}


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
            (BINANCE_SHUTDOWN, IGNORED, ()),
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
        name="binance-sbe",
        follows=(("best", "btcusdt"), ("depth", "btcusdt")),
        says=(
            {
                "method": "SUBSCRIBE",
                "params": ["btcusdt@bestBidAsk", "btcusdt@depth"],
                "id": 1,
            },
        ),
        hears=(
            ({"result": None, "id": 1}, ACK, ()),
            (sbe(10001, struct.pack("<qqbbqqqq", 1, 9, -2, -8, 1, 2, 3, 4)), DATA, 0),
            (sbe_depth(157, 160), DATA, 0),
            (sbe_depth(161, 190), DATA, 0),
            (sbe_depth(195, 200), DATA, 1),
        ),
        published_at=1672515782.136,
    ),
)
