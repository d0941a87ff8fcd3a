"""Recorded sessions as venues' documentation shows them."""

import json
from datetime import UTC, datetime

from capacity.workload.drafting.recorded_session import read_session

BEGAN_S = 1_795_770_000.0
CLIENT, SERVER = "client", "server"


def rfc3339(at):
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def as_text(url, rows):
    lines = [json.dumps({"session": 1, "url": url})]
    lines += [
        json.dumps(
            {"at": at, "from": side, "text": told if isinstance(told, str) else json.dumps(told)}
        )
        for at, side, told in rows
    ]
    return "\n".join(lines)


def session(venue):
    return read_session(as_text(*VENUES[venue]()), "recorded.jsonl")


def deribit():
    follows = ["book.BTC-PERPETUAL.100ms", "ticker.ETH-PERPETUAL.100ms"]
    beat = {"jsonrpc": "2.0", "id": 1, "method": "public/set_heartbeat", "params": {"interval": 30}}
    ask = {
        "jsonrpc": "2.0",
        "id": 8772,
        "method": "public/subscribe",
        "params": {"channels": follows},
    }
    rows = [
        (BEGAN_S, CLIENT, beat),
        (BEGAN_S + 0.01, SERVER, {"jsonrpc": "2.0", "id": 1, "result": "ok"}),
        (BEGAN_S + 0.02, CLIENT, ask),
        (BEGAN_S + 0.03, SERVER, {"jsonrpc": "2.0", "id": 8772, "result": follows}),
    ]
    change = 100
    for n in range(20):
        at = BEGAN_S + 0.1 * (n + 1)
        book = {"timestamp": int(at * 1000) - 5, "change_id": change + 7, "bids": [["new", 1.5, 2]]}
        if n:
            book["prev_change_id"] = change
        change += 7
        ticker = {"timestamp": int(at * 1000) - 3, "last_price": 1.5}
        for name, data in zip(follows, (book, ticker), strict=True):
            params = {"channel": name, "data": data}
            rows.append(
                (at, SERVER, {"jsonrpc": "2.0", "method": "subscription", "params": params})
            )
    test_request = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}
    rows += [
        (BEGAN_S + 4.0, SERVER, test_request),
        (
            BEGAN_S + 4.1,
            CLIENT,
            {"jsonrpc": "2.0", "id": 9, "method": "public/test", "params": {}},
        ),
        (BEGAN_S + 4.2, SERVER, {"jsonrpc": "2.0", "id": 9, "result": {"version": "1"}}),
    ]
    return "wss://www.deribit.com/ws/api/v2", rows


def okx():
    names = ("BTC-USDT", "ETH-USDT")
    args = [{"channel": "books", "instId": name} for name in names]
    rows = [(BEGAN_S, CLIENT, {"op": "subscribe", "args": args})]
    rows += [(BEGAN_S + 0.1, SERVER, {"event": "subscribe", "arg": arg}) for arg in args]
    numbers = [5, 900]
    for n in range(20):
        at = BEGAN_S + 0.2 + n / 10
        last, numbers[n % 2] = numbers[n % 2], numbers[n % 2] + 3
        data = {
            "asks": [],
            "ts": str(int(at * 1000)),
            "prevSeqId": last if n > 1 else -1,
            "seqId": last + 3,
        }
        kind = "update" if n > 1 else "snapshot"
        rows.append((at, SERVER, {"arg": args[n % 2], "action": kind, "data": [data]}))
    for beat in range(3):
        at = BEGAN_S + 5 + 25 * beat
        rows += [(at, CLIENT, "ping"), (at + 0.1, SERVER, "pong")]
    return "wss://ws.okx.com:8443/ws/v5/public", rows


def kraken():
    names = ("BTC/USD", "ETH/USD")
    params = {"channel": "book", "symbol": list(names), "depth": 10}
    rows = [
        (BEGAN_S, SERVER, {"channel": "status", "type": "update", "data": [{"system": "online"}]}),
        (BEGAN_S + 0.1, CLIENT, {"method": "subscribe", "params": params, "req_id": 1}),
    ]
    for name in names:
        result = {"channel": "book", "symbol": name, "depth": 10}
        ack = {"method": "subscribe", "req_id": 1, "result": result, "success": True}
        rows.append((BEGAN_S + 0.2, SERVER, ack))
    for n in range(20):
        at = BEGAN_S + 0.3 + n / 10
        data = {"symbol": names[n % 2], "bids": [], "checksum": n * n, "timestamp": rfc3339(at)}
        rows.append((at, SERVER, {"channel": "book", "type": "update", "data": [data]}))
        if n % 10 == 0:
            rows.append((at, SERVER, {"channel": "heartbeat"}))
    return "wss://ws.kraken.com/v2", rows


def binance():
    names = ("btcusdt@depth@100ms", "bnbbtc@depth@100ms")
    rows = [
        (BEGAN_S, CLIENT, {"method": "SUBSCRIBE", "params": list(names), "id": 3}),
        (BEGAN_S + 0.1, SERVER, {"result": None, "id": 3}),
    ]
    last = [10, 77]
    for n in range(20):
        at = BEGAN_S + 0.2 + n / 10
        width = 1 + n % 4
        data = {"e": "depthUpdate", "E": int(at * 1000) - 9, "U": last[n % 2] + 1}
        last[n % 2] += width
        rows.append((at, SERVER, {"stream": names[n % 2], "data": {**data, "u": last[n % 2]}}))
    return "wss://stream.binance.com:9443/stream", rows


def bitmex():
    request = {"op": "subscribe", "args": ["trade:XBTUSD", "quote:XBTUSD"]}
    rows = [
        (
            BEGAN_S,
            SERVER,
            {"info": "Welcome", "docs": "x", "timestamp": "2020-01-01T00:00:00.000Z"},
        ),
        (BEGAN_S + 0.1, CLIENT, request),
    ]
    rows += [
        (BEGAN_S + 0.2, SERVER, {"success": True, "subscribe": name, "request": request})
        for name in request["args"]
    ]
    for n in range(20):
        at = BEGAN_S + 0.3 + n / 10
        data = {"timestamp": rfc3339(at), "symbol": "XBTUSD", "size": 100}
        table = ("trade", "quote")[n % 2]
        rows.append((at, SERVER, {"table": table, "action": "insert", "data": [data]}))
    return "wss://ws.bitmex.com/realtime", rows


def coinbase():
    names = ("BTC-USD", "ETH-USD")
    ask = {
        "type": "subscribe",
        "product_ids": list(names),
        "channel": "level2",
        "jwt": "eyJsecret1",
    }
    rows = [
        (BEGAN_S, CLIENT, ask),
        (BEGAN_S + 0.1, SERVER, {"channel": "subscriptions", "sequence_num": 0, "events": [{}]}),
    ]
    for n in range(20):
        at = BEGAN_S + 0.3 + n / 10
        events = [{"type": "update", "product_id": names[n % 2], "updates": [{"side": "bid"}]}]
        frame = {"channel": "l2_data", "timestamp": rfc3339(at), "sequence_num": n + 1}
        rows.append((at, SERVER, {**frame, "events": events}))
    return "wss://advanced-trade-ws.coinbase.com/", rows


def push():
    rows = [
        (BEGAN_S + n, SERVER, {"seq": n + 1, "ts": int((BEGAN_S + n) * 1000)}) for n in range(9)
    ]
    return "ws://127.0.0.1:9/ws?token=abcdefghi&v=2", rows


def gate():
    followed = (("spot.trades", ["BTC_USDT"]), ("spot.order_book_update", ["ETH_USDT", "100ms"]))
    rows = []
    for number, (channel, payload) in enumerate(followed, 7):
        asked = {"time": int(BEGAN_S), "id": number, "channel": channel, "event": "subscribe"}
        answer = {"time_ms": int(BEGAN_S * 1000), "id": number, "channel": channel}
        answer |= {"event": "subscribe", "result": {"status": "success"}}
        rows += [(BEGAN_S, CLIENT, asked | {"payload": payload}), (BEGAN_S + 0.1, SERVER, answer)]
    for n in range(10):
        at = BEGAN_S + 0.3 + n / 10
        trade = {"id_market": n + 5, "currency_pair": "BTC_USDT", "price": "67012.1"}
        book = {"s": "ETH_USDT", "U": 10 * n, "u": 10 * n + 9, "b": [], "a": []}
        for (channel, _payload), result in zip(followed, (trade, book), strict=True):
            told = {"time_ms": int(at * 1000), "channel": channel, "event": "update"}
            rows.append((at, SERVER, told | {"result": result}))
    return "wss://api.gateio.ws/ws/v4/", rows


def bitfinex():
    channels = (("trades", 416415), ("ticker", 224555), ("account", 0))
    rows = [
        (BEGAN_S, SERVER, {"event": "info", "version": 2, "platform": {"status": 1}}),
        (BEGAN_S, CLIENT, {"event": "conf", "flags": 98304}),
        (BEGAN_S, SERVER, {"event": "conf", "status": "OK", "flags": 98304}),
    ]
    login = {"apiKey": "k", "authNonce": "12", "authPayload": "AUTH12", "authSig": "5dec71fa"}
    for channel, number in channels:
        of = {"channel": channel, "symbol": "tBTCUSD"}
        asked = {"event": "subscribe", **of} if number else {"event": "auth", **login}
        answer = {"event": "subscribed", **of} if number else {"event": "auth", "status": "OK"}
        rows.append((BEGAN_S, CLIENT, asked))
        rows.append((BEGAN_S + 0.1, SERVER, answer | {"chanId": number}))
    trade = [1493281076, 1706514938424, -0.1, 67011]
    heard = [[416415, "te", trade], [224555, [67010, 4.0]], [224555, "hb"], [0, "ou", [1, None]]]
    for n in range(12):
        at = BEGAN_S + 0.3 + n / 10
        told = heard[n % len(heard)]
        own = [n // len(heard) + 1] if told[0] == 0 else []
        rows.append((at, SERVER, [*told, n + 1, *own, int(at * 1000)]))
    return "wss://api.bitfinex.com/ws/2", rows


_ALL = (deribit, okx, kraken, binance, bitmex, coinbase, push, gate, bitfinex)
VENUES = {each.__name__: each for each in _ALL}
