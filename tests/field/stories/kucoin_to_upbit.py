"""KuCoin, HTX, Crypto.com, dYdX and Upbit, as their documentation shows them."""

import gzip
import runpy
from pathlib import Path

import orjson

TOLD = runpy.run_path(str(Path(__file__).with_name("story.py")))
Story = TOLD["Story"]
NOW_MS = TOLD["NOW_MS"]
DATA = TOLD["DATA"]
ACK = TOLD["ACK"]
HEARTBEAT = TOLD["HEARTBEAT"]
REJECTED = TOLD["REJECTED"]
KUCOIN_BOOK = "/market/level2:BTC-USDT"
KUCOIN_TRADES = "/market/match:BTC-USDT"


def kucoin_request(number, topic):
    return {"id": str(number), "type": "subscribe", "topic": topic, "response": True}


def kucoin_update(topic, subject, **data):
    return {"topic": topic, "type": "message", "subject": subject, "data": data}


def kucoin_book(first, last):
    changes = {"asks": [["18906", "0.00331", str(last)]], "bids": []}
    told = {"changes": changes, "sequenceStart": first, "sequenceEnd": last, "time": NOW_MS}
    return kucoin_update(KUCOIN_BOOK, "trade.l2update", symbol="BTC-USDT", **told)


HTX_BOOK = "market.btcusdt.mbp.150"


def htx_book(number, before):
    tick = {"seqNum": number, "prevSeqNum": before, "bids": [], "asks": [[645.14, 26.76]]}
    return gzip.compress(orjson.dumps({"ch": HTX_BOOK, "ts": NOW_MS, "tick": tick}))


def crypto_com_push(subscription, channel, *data):
    result = {"instrument_name": "BTCUSD-PERP", "subscription": subscription, "channel": channel}
    told = {"id": -1, "method": "subscribe", "code": 0}
    return told | {"result": result | {"data": list(data)}}


def crypto_com_book(number, before):
    told = {"update": {"asks": [], "bids": []}, "t": NOW_MS, "tt": NOW_MS, "u": number}
    return crypto_com_push("book.BTCUSD-PERP.10", "book.update", told | {"pu": before})


def dydx(kind, number, **more):
    return {"type": kind, "connection_id": "0c08", "message_id": number, **more}


DYDX_TRADES = {"channel": "v4_trades", "id": "BTC-USD"}
DYDX_BOOK = {"channel": "v4_orderbook", "id": "BTC-USD"}
DYDX_TRADE = {"trades": [{"id": "0", "price": "25000", "createdAt": "2023-11-14T22:13:20.000Z"}]}


def upbit(kind, code, **more):
    return orjson.dumps({"type": kind, "code": code, "timestamp": NOW_MS, **more})


STORIES = (
    Story(
        name="kucoin",
        follows=(("book", "BTC-USDT"), ("trades", "BTC-USDT")),
        says=(),
        hears=(
            (
                {"id": "c0", "type": "welcome"},
                ACK,
                (kucoin_request(1, KUCOIN_BOOK), kucoin_request(2, KUCOIN_TRADES)),
            ),
            ({"id": "1", "type": "ack"}, ACK, ()),
            ({"id": "2", "type": "ack"}, ACK, ()),
            ({"id": "3", "type": "pong", "timestamp": 1_700_000_000_000_000}, HEARTBEAT, ()),
            (kucoin_book(14610502970, 14610502971), DATA, 0),
            (kucoin_book(14610502972, 14610502972), DATA, 0),
            (kucoin_book(14610502974, 14610502979), DATA, 1),
            (
                kucoin_update(
                    KUCOIN_TRADES,
                    "trade.l3match",
                    sequence="10067996711961601",
                    time=str(NOW_MS * 1_000_000),
                ),
                DATA,
                0,
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="kucoin",
        follows=(("ticker", "NOPE"),),
        says=(),
        hears=(
            ({"id": "c0", "type": "welcome"}, ACK, (kucoin_request(1, "/market/ticker:NOPE"),)),
            (
                {"id": "1", "type": "error", "code": 404, "data": "topic is not found"},
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="htx",
        follows=(("book", "btcusdt"), ("trades", "nope")),
        says=(
            {"sub": HTX_BOOK, "id": "1"},
            {"sub": "market.nope.trade.detail", "id": "2"},
        ),
        hears=(
            (gzip.compress(b'{"ping":1492420473027}'), HEARTBEAT, ({"pong": 1492420473027},)),
            (
                gzip.compress(
                    orjson.dumps({"id": "1", "status": "ok", "subbed": HTX_BOOK, "ts": NOW_MS})
                ),
                ACK,
                (),
            ),
            (htx_book(100020146795, 100020146794), DATA, 0),
            (htx_book(100020146812, 100020146795), DATA, 0),
            (htx_book(100020146830, 100020146820), DATA, 1),
            (
                gzip.compress(
                    orjson.dumps(
                        {"status": "error", "id": "2", "err-code": "bad-request", "err-msg": "no"}
                    )
                ),
                REJECTED,
                (),
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="crypto-com",
        follows=(("book", "BTCUSD-PERP"), ("trades", "BTCUSD-PERP")),
        says=(
            {
                "id": 1,
                "method": "subscribe",
                "nonce": NOW_MS,
                "params": {
                    "channels": ["book.BTCUSD-PERP.10", "trade.BTCUSD-PERP"],
                    "book_subscription_type": "SNAPSHOT_AND_UPDATE",
                    "book_update_frequency": 10,
                },
            },
        ),
        hears=(
            ({"id": 1, "method": "subscribe", "code": 0}, ACK, ()),
            (
                {"id": 1587523073344, "method": "public/heartbeat", "code": 0},
                HEARTBEAT,
                ({"id": 1587523073344, "method": "public/respond-heartbeat"},),
            ),
            (
                crypto_com_push("book.BTCUSD-PERP.10", "book", {"t": NOW_MS, "u": 7, "asks": []}),
                DATA,
                0,
            ),
            (crypto_com_book(12, 7), DATA, 0),
            (crypto_com_book(20, 15), DATA, 1),
            (
                crypto_com_push("trade.BTCUSD-PERP", "trade", *[{"t": NOW_MS, "d": "4"}] * 2),
                DATA,
                0,
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="crypto-com",
        follows=(("ticker", "NOPE"),),
        says=(
            {
                "id": 1,
                "method": "subscribe",
                "nonce": NOW_MS,
                "params": {
                    "channels": ["ticker.NOPE"],
                    "book_subscription_type": "SNAPSHOT_AND_UPDATE",
                    "book_update_frequency": 10,
                },
            },
        ),
        hears=(
            (
                {"id": 1, "method": "subscribe", "code": 40003, "message": "Unknown symbol"},
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="dydx",
        follows=(("trades", "BTC-USD"), ("book", "BTC-USD")),
        says=(),
        hears=(
            (
                dydx("connected", 0),
                ACK,
                tuple(
                    {"type": "subscribe", "batched": False} | of for of in (DYDX_TRADES, DYDX_BOOK)
                ),
            ),
            (dydx("subscribed", 1, contents={}, **DYDX_BOOK), ACK, ()),
            (dydx("subscribed", 2, contents=DYDX_TRADE, **DYDX_TRADES), ACK, ()),
            (dydx("channel_data", 3, contents={"asks": [["1", "2"]]}, **DYDX_BOOK), DATA, 0),
            (dydx("channel_data", 4, contents={"asks": [["1", "0"]]}, **DYDX_BOOK), DATA, 0),
            (dydx("channel_data", 7, contents=DYDX_TRADE, **DYDX_TRADES), DATA, 2),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="dydx",
        follows=(("book", "NOPE"),),
        says=(),
        hears=(
            (
                dydx("connected", 0),
                ACK,
                (
                    {
                        "type": "subscribe",
                        "channel": "v4_orderbook",
                        "id": "NOPE",
                        "batched": False,
                    },
                ),
            ),
            (
                dydx("error", 1, message="Invalid id", channel="v4_orderbook", id="NOPE"),
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="upbit",
        follows=(("trades", "KRW-BTC"), ("book", "KRW-ETH")),
        says=(
            [
                {"ticket": "c0"},
                {"type": "trade", "codes": ["KRW-BTC"]},
                {"type": "orderbook", "codes": ["KRW-ETH"]},
                {"format": "DEFAULT"},
            ],
        ),
        hears=(
            ({"status": "UP"}, HEARTBEAT, ()),
            (upbit("orderbook", "KRW-ETH", level=0), DATA, 0),
            (upbit("trade", "KRW-BTC", sequential_id=17304604440460001), DATA, 0),
            (upbit("trade", "KRW-BTC", sequential_id=17304604470460000), DATA, 0),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="upbit",
        follows=(("ticker", "NOPE"),),
        says=([{"ticket": "c0"}, {"type": "ticker", "codes": ["NOPE"]}, {"format": "DEFAULT"}],),
        hears=(
            (
                {"error": {"name": "NO_CODES", "message": "codes field is missing or invalid"}},
                REJECTED,
                (),
            ),
        ),
    ),
)
