"""A venue that knows its clients by their public keys, as Binance (/ws-api/v3) and Coinbase (/) do, or by a
secret that both have, as Bybit (/v5/private).

A program of its own: `login_venue.py PUBLIC_KEY.pem`. A signature or token that another library finds
wrong is refused in the venue's words, as is one that is of another time; whom it knows is told of an own order.
"""

import asyncio
import base64
import hmac
import json
import sys
import time
from pathlib import Path

import jwt
from aiohttp import WSMsgType, web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

API_KEY, SECRET = "key-1", b"s3cret-1"
OLDEST_MS = 5000


class LoginVenue:
    def __init__(self, public_key):
        self._key = public_key

    async def binance(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        is_known = False
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            answer = {"id": frame["id"], "status": 200}
            if frame["method"] == "session.logon":
                is_known = self._signed(frame["params"])
                answer["result"] = {"apiKey": API_KEY, "serverTime": now_ms()}
            elif frame["method"] == "userDataStream.subscribe" and is_known:
                answer["result"] = {"subscriptionId": 7}
            if not is_known:
                error = {"code": -1022, "msg": "Signature for this request is not valid."}
                answer = {"id": frame["id"], "status": 400, "error": error}
            await ws.send_json(answer)
            if is_known and frame["method"] == "userDataStream.subscribe":
                event = {"e": "executionReport", "E": now_ms(), "s": "BTCUSDT"}
                await ws.send_json({"subscriptionId": 7, "event": event})
        return ws

    def _signed(self, params):
        text = f"apiKey={params['apiKey']}&timestamp={params['timestamp']}"
        try:
            self._key.verify(base64.b64decode(params["signature"]), text.encode())
        except InvalidSignature:
            return False
        return params["apiKey"] == API_KEY and abs(params["timestamp"] - now_ms()) < OLDEST_MS

    async def bybit(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            answer = {"op": frame["op"], "req_id": frame["req_id"], "success": True, "ret_msg": ""}
            if frame["op"] == "auth":
                key, expires, sign = frame["args"]
                expected = hmac.digest(SECRET, f"GET/realtime{expires}".encode(), "sha256").hex()
                if key != API_KEY or sign != expected or not 0 < expires - now_ms() < 60_000:
                    answer |= {"success": False, "ret_msg": "Params Error"}
            await ws.send_json(answer)
            if frame["op"] == "subscribe":
                told = {"topic": frame["args"][0], "creationTime": now_ms()}
                await ws.send_json({**told, "data": [{"orderStatus": "New"}]})
        return ws

    async def coinbase(self, request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            if frame["channel"] == "heartbeats":
                await ws.send_json({"channel": "heartbeats", "events": [], "sequence_num": 0})
            elif self._is_token(frame["jwt"]):
                told = {"channel": "user", "timestamp": moment(), "sequence_num": 1}
                await ws.send_json({**told, "events": [{"type": "snapshot", "orders": []}]})
            else:
                await ws.send_json({"type": "error", "message": "authentication failure"})
        return ws

    def _is_token(self, token):
        required = {"require": ["exp", "nbf", "sub"]}
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token, self._key, algorithms=["ES256", "EdDSA"], issuer="cdp", options=required
            )
        except jwt.PyJWTError:
            return False
        return claims["sub"] == header["kid"] == API_KEY and bool(header["nonce"])


def now_ms():
    return time.time_ns() // 1_000_000


def moment():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


async def serve(venue):
    app = web.Application()
    app.router.add_get("/ws-api/v3", venue.binance)
    app.router.add_get("/v5/private", venue.bybit)
    app.router.add_get("/", venue.coinbase)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = site._server.sockets[0].getsockname()
    sys.stderr.write(f"venue ready on http://{host}:{port}\n")
    sys.stderr.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(LoginVenue(load_pem_public_key(Path(sys.argv[1]).read_bytes()))))
