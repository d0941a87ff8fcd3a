"""Parts of venues that the bundled exchange does not speak, as their documentation has them.

fixture_venue.py EVERY; prints its port. Books of BTC/USDT on Binance (spot), OKX and Bybit, twenty changes
a second, of which every EVERY-th is left out for all; GET /dropped tells the numbers of those.
"""

import asyncio
import json
import sys
import time

from aiohttp import web

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


def answers(ask: dict, path: str) -> tuple[list[dict], list[dict]]:
    """Return what a request is answered by, and what is followed from now on."""
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
            acks, follows = answers(json.loads(message.data), request.path)
            for ack in acks:
                await peer.send_str(json.dumps(ack))
            followers[peer] += follows
    finally:
        del followers[peer]
    return peer


def said(follow: dict, number: int) -> dict:
    is_first = not follow.get("has_begun")
    follow["has_begun"] = True
    if follow["venue"] == "binance":
        return binance(follow["wire"], number)
    if follow["venue"] == "okx":
        return okx(number, is_snapshot=is_first)
    return bybit(follow["wire"], number, is_snapshot=is_first)


async def publish() -> None:
    while True:
        await asyncio.sleep(PACE_S)
        state["number"] = number = state["number"] + 1
        if EVERY and number % EVERY == 0:
            dropped.append(number)
            continue
        for peer, follows in list(followers.items()):
            for follow in follows:
                if not peer.closed:
                    await peer.send_str(json.dumps(said(follow, number)))


async def asked(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await talk(request)
    if request.path == "/dropped":
        return web.json_response(dropped)
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
    print(runner.addresses[0][1], flush=True)
    await publish()


asyncio.run(main())
