"""Parts of venues that the bundled exchange does not speak, as their documentation has them.

fixture_venue.py EVERY [CERTIFICATE]; prints its port, and one for TLS where it has a certificate (a file that
holds the key too). Books of BTC/USDT on Binance (spot), OKX and Bybit, books and trades on Kraken, twenty a
second, of which every EVERY-th is left out for all; GET /dropped tells the numbers of those.
"""

import asyncio
import json
import ssl
import sys
import time

import kraken_books
from aiohttp import web
from kraken_books import now_rfc3339

EVERY = int(sys.argv[1])
PACE_S = 0.05
state = {"number": 1}
dropped: list[int] = []
followers: dict[web.WebSocketResponse, list[dict]] = {}


def now_ms() -> int:
    return round(time.time() * 1000)


def price(number: int, side: int) -> str:
    return f"{50_000 + side * (1 + number % 5)}.0"


def binance(wire: str, number: int) -> dict:
    """One change covers the numbers 10 n - 9 to 10 n."""
    data = {
        "e": "depthUpdate",
        "E": now_ms(),
        "s": "BTCUSDT",
        "U": 10 * number - 9,
        "u": 10 * number,
        "b": [[price(number, -1), "1.0"]],
        "a": [[price(number, 1), "2.0"]],
    }
    return {"stream": wire, "data": data} if wire else data


def okx(number: int, *, is_snapshot: bool) -> dict:
    return {
        "arg": {"channel": "books", "instId": "BTC-USDT"},
        "action": "snapshot" if is_snapshot else "update",
        "data": [
            {
                "asks": [[price(number, 1), "2", "0", "1"]],
                "bids": [[price(number, -1), "1", "0", "1"]],
                "ts": str(now_ms()),
                "seqId": number,
                "prevSeqId": -1 if is_snapshot else number - 1,
            }
        ],
    }


def bybit(topic: str, number: int, *, is_snapshot: bool) -> dict:
    return {
        "topic": topic,
        "type": "snapshot" if is_snapshot else "delta",
        "ts": now_ms(),
        "data": {
            "s": "BTCUSDT",
            "b": [[price(number, -1), "1"]],
            "a": [[price(number, 1), "2"]],
            "u": number,
            "seq": number,
        },
        "cts": now_ms(),
    }


def kraken(symbol: str, number: int, *, is_snapshot: bool) -> dict:
    trade = {
        "symbol": symbol,
        "side": "buy",
        "price": 50_000.1,
        "qty": 0.25,
        "ord_type": "market",
        "trade_id": number,
        "timestamp": now_rfc3339(),
    }
    return {
        "channel": "trade",
        "type": "snapshot" if is_snapshot else "update",
        "data": [trade],
    }


def kraken_answers(ask: dict) -> tuple[list[dict], list[dict]]:
    """Return answers and follows; what was asked for by one symbol has an answer of its own."""
    told = {"time_in": now_rfc3339(), "time_out": now_rfc3339()}
    if "req_id" in ask:
        told["req_id"] = ask["req_id"]
    if ask["method"] == "ping":
        return [{"method": "pong", **told}], []
    symbols, channel = ask["params"]["symbol"], ask["params"]["channel"]
    acks = [
        {
            "method": ask["method"],
            "result": {"channel": channel, "snapshot": True, "symbol": symbol},
            "success": True,
            **told,
        }
        for symbol in symbols
    ]
    venue = "kraken" if channel == "trade" else "kraken books"
    return acks, [{"venue": venue, "wire": symbol} for symbol in symbols]


def first_kraken_answers(ask: dict) -> tuple[list[dict], list[dict]]:
    """Return the same for version 1 of that venue's protocol."""
    asked = {"channelName": "book-10", "event": "subscriptionStatus", "status": "subscribed"}
    acks = [{**asked, "channelID": 320, "pair": pair} for pair in ask["pair"]]
    return acks, [{"venue": "kraken 1", "wire": pair} for pair in ask["pair"]]


def answers(ask: dict, path: str) -> tuple[list[dict], list[dict]]:
    """Return what a request is answered by, and what is followed from now on."""
    if ask.get("method") in {"ping", "subscribe"}:
        return kraken_answers(ask)
    if ask.get("method") == "SUBSCRIBE":
        wires = [wire if "stream" in path else "" for wire in ask["params"]]
        return [{"result": None, "id": ask["id"]}], [{"venue": "binance", "wire": w} for w in wires]
    if ask.get("op") == "subscribe" and isinstance(ask["args"][0], dict):
        acks = [{"event": "subscribe", "arg": arg, "connId": "a4d3ae55"} for arg in ask["args"]]
        return acks, [{"venue": "okx"} for _arg in ask["args"]]
    if ask.get("op") == "subscribe":
        ack = {"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "c"}
        return [{**ack, "req_id": ask.get("req_id", "")}], [
            {"venue": "bybit", "wire": topic} for topic in ask["args"]
        ]
    if ask.get("op") == "ping":
        return [{"success": True, "ret_msg": "pong", "op": "ping", "conn_id": "c"}], []
    return [], []


async def talk(request: web.Request) -> web.WebSocketResponse:
    peer = web.WebSocketResponse()
    await peer.prepare(request)
    followers[peer] = []
    if request.path == "/v2":
        online = {"version": "2.0.9", "system": "online", "api_version": "v2", "connection_id": 1}
        status = {"channel": "status", "type": "update", "data": [online]}
        await peer.send_str(json.dumps(status))
    streams = request.query.get("streams") or request.match_info["path"].partition("ws/")[2]
    if "@" in streams:
        is_combined = "stream" in request.path
        for wire in streams.split("/"):
            followers[peer].append({"venue": "binance", "wire": wire if is_combined else ""})
    try:
        async for message in peer:
            if message.data == "ping":
                await peer.send_str("pong")
                continue
            asked_for = json.loads(message.data)
            if asked_for.get("method") == "unsubscribe":
                followers[peer].clear()
                continue
            if "pair" in asked_for:
                acks, follows = first_kraken_answers(asked_for)
            else:
                acks, follows = answers(asked_for, request.path)
            for ack in acks:
                await peer.send_str(json.dumps(ack))
            followers[peer] += follows
    finally:
        del followers[peer]
    return peer


def said(follow: dict, number: int, changed: tuple[str, int]) -> str:
    is_first = not follow.get("has_begun")
    follow["has_begun"] = True
    if follow["venue"] == "kraken books":
        return kraken_books.second(follow["wire"], None if is_first else changed)
    if follow["venue"] == "kraken 1":
        return kraken_books.first(follow["wire"], None if is_first else changed)
    return json.dumps(numbered(follow, number, is_first=is_first))


def numbered(follow: dict, number: int, *, is_first: bool) -> dict:
    if follow["venue"] == "binance":
        return binance(follow["wire"], number)
    if follow["venue"] == "kraken":
        return kraken(follow["wire"], number, is_snapshot=is_first)
    if follow["venue"] == "okx":
        return okx(number, is_snapshot=is_first)
    return bybit(follow["wire"], number, is_snapshot=is_first)


async def publish() -> None:
    while True:
        await asyncio.sleep(PACE_S)
        state["number"] = number = state["number"] + 1
        changed = kraken_books.change(number)
        if EVERY and number % EVERY == 0:
            dropped.append(number)
            continue
        for peer, follows in list(followers.items()):
            for follow in follows:
                if not peer.closed:
                    await peer.send_str(said(follow, number, changed))


async def asked(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await talk(request)
    if request.path == "/dropped":
        return web.json_response(dropped)
    if request.path.endswith("/AssetPairs"):
        return web.json_response(kraken_books.PAIRS)
    if request.path.endswith("/depth"):
        number = state["number"]
        return web.json_response(
            {
                "lastUpdateId": 10 * number,
                "bids": [[price(n, -1), "1.0"] for n in range(5)],
                "asks": [[price(n, 1), "2.0"] for n in range(5)],
            }
        )
    if request.path.endswith("/time"):
        return web.json_response({"serverTime": now_ms()})
    return web.json_response({})


async def main() -> None:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", asked)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2])
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    for _host, port in runner.addresses:
        print(port, flush=True)
    await publish()


asyncio.run(main())
