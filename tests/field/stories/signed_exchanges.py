"""Exchanges that ask for a signature: OKX's private channels, Gate and Bitfinex."""

import runpy
from pathlib import Path

TOLD = runpy.run_path(str(Path(__file__).with_name("story.py")))
Story = TOLD["Story"]
GATE_KEY = TOLD["GATE_KEY"]
NOW_MS = TOLD["NOW_MS"]
NOW_S = TOLD["NOW_S"]
VALUES = TOLD["VALUES"]
DATA = TOLD["DATA"]
ACK = TOLD["ACK"]
HEARTBEAT = TOLD["HEARTBEAT"]
IGNORED = TOLD["IGNORED"]
REJECTED = TOLD["REJECTED"]
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


STORIES = (
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
)
