"""Every shipped dialect against frames as the protocols' own documentation shows them.

A story is what the client says first, then frames of the target, each with what becomes of it.
"""

import gzip
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization

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


def bybit_login():
    args = [GATE_KEY, NOW_MS + 10_000, BYBIT_SIGNED]
    return {"req_id": "1", "op": "auth", "args": args}


def binance_logon():
    params = {"apiKey": GATE_KEY, "signature": BINANCE_SIGNED, "timestamp": NOW_MS}
    return {"id": 1, "method": "session.logon", "params": params}


def coinbase_private(channel, number, event):
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": "2023-02-10T05:13:57.609931463Z",
        "sequence_num": number,
        "events": [event],
    }


def coinbase_advanced(channel, number, event):
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": "2023-02-09T20:32:50.714964855Z",
        "sequence_num": number,
        "events": [event],
    }


def sbe(template, block, rest=b""):
    header = struct.pack("<HHHH", len(block), template, 1, 0)
    return header + block + rest + b"\x07BTCUSDT"


def sbe_depth(first, last):
    block = struct.pack("<qqqbb", 1672515782136000, first, last, -2, -8)
    return sbe(10003, block, struct.pack("<HHqqHH", 16, 1, 642505, 125, 16, 0))


def bybit_book(number, kind="delta"):
    data = {"s": "BTCUSDT", "b": [["16493.50", "0.006"]], "a": [], "u": number, "seq": 7961638724}
    return {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1672304484978, "data": data}


def kraken_ack(request, **result):
    return {"method": "subscribe", "req_id": request, "result": result, "success": True}


def coinbase_match(trade_id, kind="match"):
    at = "2014-11-07T08:19:27.028459Z"
    return {"type": kind, "trade_id": trade_id, "product_id": "BTC-USD", "time": at}


NOW_S = NOW_MS // 1000
GATE_KEY = "5f9c1b7a2e4d4c0f9a6b3d8e7c1f2a40"
GATE_SIGNED = (
    "0dc17b76097b2726573e30bde2a792ce238bbd452f414d949a5f71d5bf1dd50e"
    "8e8166a762af6614f0228360882c6e35df2ac39ed0eba1be8b02d9ca1ec9c6c9"
)
OKX_SIGNED = "lhmJXK08fk9SI1ZwFXKFRrPtzfbNOwC+D1xMJJ/1KZg="
"""By openssl dgst -sha256 -hmac secret, of 1700000000GET/users/self/verify."""
BITFINEX_SIGNED = (
    "a75dc5bf3fc18b13c6df7672aa8dddad813d12d8ed9cd207"
    "d19df71efb1fe6f7c191a0c404c48a57fc6c4ec6096ef8a4"
)
EDWARDS_KEY = """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
-----END PRIVATE KEY-----
"""
BINANCE_SIGNED = (
    "zslOGZVCKsGj2QoC2cyskEOgUA0CfHQ1ko3CF3owoJmHG2lfja4WLuKvmXcyLDXeRWWtNE99E1GnlQHYkyfrCw=="
)
"""By openssl pkeyutl -sign -rawin, of apiKey=5f9c…&timestamp=1700000000000."""
BYBIT_SIGNED = "7ccf9bb4db01ad0e1ee2c3eef8d8b4730fc9bcab069e44972f6723cde7f692f3"
"""By openssl dgst -sha256 -hmac secret, of GET/realtime1700000010000."""
CDP_KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END EC PRIVATE KEY-----
"""
"""Of RFC 7515, appendix A.3, in the form in which Coinbase hands keys out."""


class CoinbaseToken:
    """Equal to each token of that key with these claims: no two signatures of one text are alike."""

    def __eq__(self, token):
        key = serialization.load_pem_private_key(CDP_KEY.encode(), password=None).public_key()
        claims = jwt.decode(token, key, algorithms=["ES256"], options={"verify_exp": False})
        header = {"alg": "ES256", "typ": "JWT", "kid": "organizations/o/apiKeys/k", "nonce": "n0n"}
        return header == jwt.get_unverified_header(token) and claims == {
            "sub": "organizations/o/apiKeys/k",
            "iss": "cdp",
            "nbf": NOW_S,
            "exp": NOW_S + 120,
        }

    __hash__ = None


VALUES = {
    "connection": 0,
    "nonce": "n0n",
    "key_name": "organizations/o/apiKeys/k",
    "now_s": NOW_S,
    "now_ms": NOW_MS,
    "now_us": 1_706_514_903_262_000,
    "api_key": GATE_KEY,
    "api_secret": "secret",
    "secret_key": "secret",
    "passphrase": "open sesame",
}

PRIVATE_KEYS = {"binance-private": EDWARDS_KEY, "coinbase-private": CDP_KEY}


def gate_request(number, channel, *payload, **more):
    asked = {"time": NOW_S, "id": number, "channel": channel, "event": "subscribe"}
    return asked | {"payload": list(payload)} | more


def gate_answer(number, channel, **more):
    told = {"time": NOW_S, "time_ms": NOW_MS, "id": number, "conn_id": "3e2e", "channel": channel}
    return told | {"event": "subscribe", "result": {"status": "success"}} | more


def gate_update(channel, result):
    told = {"time": NOW_S, "time_ms": NOW_MS, "channel": channel, "event": "update"}
    return told | {"result": result}


def gate_book(first, last):
    book = {"t": NOW_MS - 5, "e": "depthUpdate", "E": NOW_S, "s": "BTC_USDT"}
    return gate_update("spot.order_book_update", book | {"U": first, "u": last, "b": [], "a": []})


def gate_trade(number):
    trade = {"id": 7 * number, "id_market": number, "create_time_ms": f"{NOW_MS}.723"}
    return gate_update("spot.trades", trade | {"currency_pair": "BTC_USDT", "price": "67012.1"})


def bitfinex_auth():
    nonce = str(VALUES["now_us"])
    return {
        "event": "auth",
        "apiKey": GATE_KEY,
        "authNonce": nonce,
        "authPayload": f"AUTH{nonce}",
        "authSig": BITFINEX_SIGNED,
    }


def bitfinex_book(**more):
    return {"channel": "book", "symbol": "tBTCUSD", "prec": "P0", "freq": "F0", "len": "25"} | more


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


XMPP_IETF = "urn:ietf:params:xml:ns:xmpp"
XMPP_STREAM = "xmlns:stream='http://etherx.jabber.org/streams'"
XMPP_OPEN = f"<open xmlns='{XMPP_IETF}-framing' to='localhost' version='1.0'/>"
XMPP_OPENED = f"<open xmlns='{XMPP_IETF}-framing' id='74' version='1.0' from='localhost'/>"
XMPP_AUTH = f"<auth xmlns='{XMPP_IETF}-sasl' mechanism='ANONYMOUS'/>"
XMPP_ROOM = "prices@conference.localhost"

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
        name="okx-private",
        follows=(("orders", ""), ("account", "")),
        says=(
            {
                "op": "login",
                "args": [
                    {
                        "apiKey": GATE_KEY,
                        "passphrase": "open sesame",
                        "timestamp": str(NOW_S),
                        "sign": OKX_SIGNED,
                    }
                ],
            },
        ),
        hears=(
            (
                {"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"},
                ACK,
                (
                    {
                        "op": "subscribe",
                        "args": [
                            {"channel": "orders", "instType": "ANY"},
                            {"channel": "account"},
                        ],
                    },
                ),
            ),
            (
                {
                    "event": "subscribe",
                    "arg": {"channel": "orders", "instType": "ANY"},
                    "connId": "a4d3ae55",
                },
                ACK,
                (),
            ),
            ({"event": "subscribe", "arg": {"channel": "account"}, "connId": "a4d"}, ACK, ()),
            (
                {
                    "arg": {"channel": "orders", "instType": "ANY", "uid": "4470"},
                    "data": [{"ordId": "312269865356374016", "state": "live", "uTime": "1"}],
                },
                DATA,
                0,
            ),
            (
                {
                    "arg": {"channel": "account", "uid": "4470"},
                    "eventType": "snapshot",
                    "data": [{"uTime": "1597026383085", "totalEq": "41624.32"}],
                },
                DATA,
                0,
            ),
            ({"event": "channel-conn-count", "channel": "orders"}, IGNORED, ()),
            ("pong", HEARTBEAT, ()),
        ),
    ),
    Story(
        name="okx-private",
        follows=(("orders", ""),),
        says=(
            {
                "op": "login",
                "args": [
                    {
                        "apiKey": GATE_KEY,
                        "passphrase": "open sesame",
                        "timestamp": str(NOW_S),
                        "sign": OKX_SIGNED,
                    }
                ],
            },
        ),
        hears=(({"event": "error", "code": "60009", "msg": "Login failed."}, REJECTED, ()),),
    ),
    Story(
        name="binance-private",
        follows=(("user", ""),),
        says=(binance_logon(),),
        hears=(
            (
                {
                    "id": 1,
                    "status": 200,
                    "result": {"apiKey": GATE_KEY, "authorizedSince": NOW_MS, "serverTime": NOW_MS},
                    "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "limit": 6000, "count": 4}],
                },
                ACK,
                ({"id": 2, "method": "userDataStream.subscribe"},),
            ),
            ({"id": 2, "status": 200, "result": {"subscriptionId": 0}}, ACK, ()),
            (
                {
                    "subscriptionId": 0,
                    "event": {"e": "executionReport", "E": 1499405658658, "s": "ETHBTC"},
                },
                DATA,
                0,
            ),
        ),
        published_at=1499405658.658,
    ),
    Story(
        name="binance-private",
        follows=(("user", ""),),
        says=(binance_logon(),),
        hears=(
            (
                {
                    "id": 1,
                    "status": 401,
                    "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions"},
                },
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="coinbase-private",
        follows=(("user", ""),),
        says=(
            {"type": "subscribe", "channel": "heartbeats"},
            {"type": "subscribe", "channel": "user", "jwt": CoinbaseToken()},
        ),
        hears=(
            (
                coinbase_private("subscriptions", 0, {"subscriptions": {"user": ["u"]}}),
                IGNORED,
                (),
            ),
            (coinbase_private("user", 1, {"type": "snapshot", "orders": []}), DATA, 0),
            (coinbase_private("heartbeats", 2, {"heartbeat_counter": 1}), HEARTBEAT, ()),
            (coinbase_private("user", 3, {"type": "update", "orders": [{}]}), DATA, 0),
        ),
        published_at=1_676_006_037.609931,
    ),
    Story(
        name="coinbase-private",
        follows=(("user", ""),),
        says=(
            {"type": "subscribe", "channel": "heartbeats"},
            {"type": "subscribe", "channel": "user", "jwt": CoinbaseToken()},
        ),
        hears=(({"type": "error", "message": "authentication failure"}, REJECTED, ()),),
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
        name="bybit-private",
        follows=(("orders", ""), ("wallet", "")),
        says=(bybit_login(),),
        hears=(
            (
                {"success": True, "ret_msg": "", "op": "auth", "conn_id": "cejreaspqfh3sjdnldmg-p"},
                ACK,
                ({"op": "subscribe", "req_id": "2", "args": ["order", "wallet"]},),
            ),
            (
                {"success": True, "ret_msg": "", "op": "subscribe", "req_id": "2", "conn_id": "c"},
                ACK,
                (),
            ),
            (
                {
                    "id": "5923240c6880ab-c59f-420b-9adb-3639adc9dd90",
                    "topic": "order",
                    "creationTime": 1672364262474,
                    "data": [{"symbol": "ETH-30DEC22-1400-C", "orderStatus": "Cancelled"}],
                },
                DATA,
                0,
            ),
            (
                {"op": "pong", "args": ["1675418560633"], "conn_id": "cfcb4ocsvfriu23r3er0"},
                HEARTBEAT,
                (),
            ),
        ),
        published_at=1672364262.474,
    ),
    Story(
        name="bybit-private",
        follows=(("orders", ""),),
        says=(bybit_login(),),
        hears=(
            (
                {"success": False, "ret_msg": "Params Error", "op": "auth", "conn_id": "c"},
                REJECTED,
                (),
            ),
        ),
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
        name="xmpp",
        follows=(("updates", "prices"),),
        says=(XMPP_OPEN,),
        hears=(
            (XMPP_OPENED, IGNORED, ()),
            (
                (
                    f"<stream:features {XMPP_STREAM}><mechanisms xmlns='{XMPP_IETF}-sasl'><mechanism>"
                    "ANONYMOUS</mechanism></mechanisms></stream:features>"
                ),
                ACK,
                (XMPP_AUTH,),
            ),
            (f"<success xmlns='{XMPP_IETF}-sasl'/>", ACK, (XMPP_OPEN,)),
            (XMPP_OPENED, IGNORED, ()),
            (
                f"<stream:features {XMPP_STREAM}><bind xmlns='{XMPP_IETF}-bind'/></stream:features>",
                ACK,
                (
                    (
                        "<iq xmlns='jabber:client' type='set' id='bind'>"
                        f"<bind xmlns='{XMPP_IETF}-bind'/></iq>"
                    ),
                ),
            ),
            (
                (
                    f"<iq xmlns='jabber:client' type='result' id='bind'><bind xmlns='{XMPP_IETF}-bind'>"
                    "<jid>60@localhost/67</jid></bind></iq>"
                ),
                ACK,
                (
                    (
                        f"<presence xmlns='jabber:client' to='{XMPP_ROOM}/c0'>"
                        "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
                    ),
                ),
            ),
            # ejabberd first says what the room can do, by a presence that confirms nothing.
            (
                f"<presence xmlns='jabber:client' from='{XMPP_ROOM}' id='1'><c ver='yy'/></presence>",
                IGNORED,
                (),
            ),
            (
                (
                    f"<presence xmlns='jabber:client' to='60@localhost/67' from='{XMPP_ROOM}/c0'>"
                    "<x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/>"
                    "<status code='110'/></x></presence>"
                ),
                ACK,
                (),
            ),
            (
                f"<message xmlns='jabber:client' from='{XMPP_ROOM}' type='groupchat'><subject/></message>",
                IGNORED,
                (),
            ),
            (
                "<iq xmlns='jabber:client' from='localhost' type='get' id='p-1'><ping/></iq>",
                HEARTBEAT,
                ("<iq xmlns='jabber:client' type='result' id='p-1'/>",),
            ),
            *(
                (
                    (
                        f"<message xmlns='jabber:client' from='{XMPP_ROOM}/source' type='groupchat'>"
                        f"<update xmlns='urn:mine' {told}/><body>{n}</body></message>"
                    ),
                    DATA,
                    missed,
                )
                for n, missed, told in (
                    (5, 0, f"ts='{NOW_MS}' seq='5'"),
                    (7, 1, f'seq="7" ts="{NOW_MS}"'),
                )
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="xmpp",
        follows=(("updates", "prices"),),
        says=(XMPP_OPEN,),
        hears=(
            (f"<stream:features {XMPP_STREAM}/>", ACK, (XMPP_AUTH,)),
            (
                f"<failure xmlns='{XMPP_IETF}-sasl'><not-authorized/></failure>",
                REJECTED,
                (),
            ),
        ),
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
        name="gate",
        follows=(("trades", "BTC_USDT"), ("book", "BTC_USDT"), ("orders", "BTC_USDT")),
        says=(
            gate_request(1, "spot.trades", "BTC_USDT"),
            gate_request(2, "spot.order_book_update", "BTC_USDT", "100ms"),
            gate_request(
                3,
                "spot.orders",
                "BTC_USDT",
                auth={"method": "api_key", "KEY": GATE_KEY, "SIGN": GATE_SIGNED},
            ),
        ),
        hears=(
            (gate_answer(2, "spot.order_book_update"), ACK, ()),
            (gate_answer(1, "spot.trades"), ACK, ()),
            (gate_answer(3, "spot.orders"), ACK, ()),
            (
                {"time_ms": NOW_MS, "channel": "spot.pong", "event": "", "result": None},
                HEARTBEAT,
                (),
            ),
            (gate_book(8258230202, 8258230206), DATA, 0),
            (gate_book(8258230207, 8258230207), DATA, 0),
            (gate_book(8258230211, 8258230214), DATA, 1),
            (gate_trade(40224585), DATA, 0),
            (gate_trade(40224588), DATA, 2),
            (gate_update("spot.orders", [{"id": "264", "currency_pair": "BTC_USDT"}] * 2), DATA, 0),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="gate",
        follows=(("tickers", "NOPE_USD"),),
        says=(gate_request(1, "spot.tickers", "NOPE_USD"),),
        hears=(
            (
                gate_answer(
                    1,
                    "spot.tickers",
                    error={"code": 2, "message": "unknown currency pair: NOPE_USD"},
                    result={"status": "fail"},
                ),
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="bitfinex",
        follows=(("trades", "tBTCUSD"), ("book", "tBTCUSD"), ("account", "")),
        says=(),
        hears=(
            (
                {"event": "info", "version": 2, "serverId": "fb58", "platform": {"status": 1}},
                ACK,
                ({"event": "conf", "flags": 98304},),
            ),
            (
                {"event": "conf", "status": "OK", "flags": 98304},
                ACK,
                (
                    {"event": "subscribe", "channel": "trades", "symbol": "tBTCUSD"},
                    bitfinex_book(event="subscribe"),
                    bitfinex_auth(),
                ),
            ),
            (
                {"event": "subscribed", "channel": "trades", "chanId": 416, "symbol": "tBTCUSD"},
                ACK,
                (),
            ),
            ([416, [[1493281074, NOW_MS, 0.1, 67012]] * 2, 1, NOW_MS], DATA, 0),
            (bitfinex_book(event="subscribed", chanId=903, pair="BTCUSD"), ACK, ()),
            ([903, [[67011, 2, 0.1], [67012, 1, -0.2]], 2, NOW_MS], DATA, 0),
            ({"event": "auth", "status": "OK", "chanId": 0, "userId": 269499}, ACK, ()),
            ([0, "ps", [], 3, 1, NOW_MS], DATA, 0),
            ([416, "te", [1493281076, NOW_MS, -0.1, 67011], 4, NOW_MS], DATA, 0),
            ([416, "tu", [1493281076, NOW_MS, -0.1, 67011], 5, NOW_MS], DATA, 0),
            ([903, "hb", 6, NOW_MS], HEARTBEAT, ()),
            ([0, "hb", 7, NOW_MS], HEARTBEAT, ()),
            ([903, [67012, 0, -1], 8, NOW_MS], DATA, 0),
            ([0, "ou", [101501268616, None, 1, "tBTCUSD"], 10, 2, NOW_MS], DATA, 1),
            ({"event": "pong", "ts": NOW_MS, "cid": 4}, HEARTBEAT, ()),
            ({"event": "info", "code": 20051, "msg": "Stopping"}, IGNORED, ()),
            ([903, [67009, 6, 0.1], 13, NOW_MS], DATA, 2),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="bitfinex",
        follows=(("ticker", "tNOPE"), ("account", "")),
        says=(),
        hears=(
            (
                {"event": "info", "version": 2, "platform": {"status": 1}},
                ACK,
                ({"event": "conf", "flags": 98304},),
            ),
            (
                {"event": "conf", "status": "OK", "flags": 98304},
                ACK,
                (
                    {"event": "subscribe", "channel": "ticker", "symbol": "tNOPE"},
                    bitfinex_auth(),
                ),
            ),
            (
                {"channel": "ticker", "event": "error", "msg": "symbol: invalid", "code": 10300},
                REJECTED,
                (),
            ),
            (
                {
                    "event": "auth",
                    "status": "FAILED",
                    "chanId": 0,
                    "code": 10100,
                    "msg": "apikey: digest invalid",
                },
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="bitfinex",
        follows=(("ticker", "tBTCUSD"),),
        says=(),
        hears=(({"event": "info", "version": 3, "platform": {"status": 1}}, REJECTED, ()),),
    ),
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
    values = VALUES | {"private_key": PRIVATE_KEYS.get(source.name)}
    talk = Conversation(compile_dialect(source), channels, lambda: values)
    published_at = None
    sent = talk.start()

    assert len(sent) == len(story.says)
    assert list(story.says) == [as_sent(*pair) for pair in zip(sent, story.says, strict=True)]
    for frame, kind, expected in story.hears:
        (message,) = talk.messages([as_bytes(frame)])
        (reception,) = talk.receive_all(message)
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
