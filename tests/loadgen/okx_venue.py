"""A venue as OKX is: public channels on one path, private ones behind a signed login on another.

A program of its own; a refused login is told with its key and passphrase. GET /counts says what it sees of both kinds, GET /set?most_private=N bounds how many
may be logged in at a time, GET /set?ends_after=N ends all tokens after so many logins, GET /set?holds=1 leaves logins unanswered until GET /set, and GET /cut ends all
who are logged in.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import sys
import time
from collections import Counter

from aiohttp import WSMsgType, web

SECRET = "of-{}"
"""Of the account with that number."""


class OkxVenue:
    def __init__(self):
        self.open = {"public": set(), "private": set()}
        self.most = Counter()
        self.accounts = Counter()
        self.refused = 0
        self.most_private = 10**6
        self.ends_after = 10**6
        """Logins, behind which all who are logged in are ended, and nobody is let in."""
        self.lets_in = asyncio.Event()
        self.lets_in.set()

    async def counts(self, _request):
        return web.json_response(
            {kind: len(held) for kind, held in self.open.items()}
            | {f"most_{kind}": self.most[kind] for kind in self.open}
            | {"accounts": dict(self.accounts), "refused": self.refused}
        )

    async def set(self, request):
        self.most_private = int(request.query.get("most_private", self.most_private))
        self.ends_after = int(request.query.get("ends_after", self.ends_after))
        if request.query.get("holds") == "1":
            self.lets_in.clear()
        else:
            self.lets_in.set()
        return web.Response()

    async def cut(self, _request):
        """End all private connections."""
        for ws in list(self.open["private"]):
            await ws.close(code=1001)
        return web.Response()

    def _enter(self, kind, ws):
        self.open[kind].add(ws)
        self.most[kind] = max(self.most[kind], len(self.open[kind]))

    async def public(self, request):
        return await self._serve(request, "public", self._follow)

    async def private(self, request):
        return await self._serve(request, "private", self._private)

    async def _serve(self, request, kind, answer):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if kind == "public":
            self._enter(kind, ws)
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT and message.data == "ping":
                    await ws.send_str("pong")
                elif message.type is WSMsgType.TEXT:
                    await answer(ws, json.loads(message.data))
        finally:
            self.open[kind].discard(ws)
        return ws

    async def _private(self, ws, frame):
        if frame["op"] != "login":
            await (self._follow if ws in self.open["private"] else self._deny)(ws, frame)
            return
        await self.lets_in.wait()
        (asked,) = frame["args"]
        account = asked["apiKey"].removeprefix("key-")
        text = f"{asked['timestamp']}GET/users/self/verify".encode()
        digest = hmac.digest(SECRET.format(account).encode(), text, hashlib.sha256)
        is_genuine = asked["sign"] == base64.b64encode(digest).decode()
        if not is_genuine or asked["passphrase"] != "open sesame":
            self.refused += 1
            said = f"Login failed. {asked['apiKey']} with {asked['passphrase']}"
            await ws.send_json({"event": "error", "code": "60009", "msg": said})
        elif sum(self.accounts.values()) >= self.ends_after:
            self.refused += 1
            for other in list(self.open["private"]):
                await other.close(code=4001, message=b"Token expired")
            await ws.send_json({"event": "error", "code": "60024", "msg": "Token expired"})
        elif len(self.open["private"]) >= self.most_private:
            self.refused += 1
            await ws.send_json({"event": "error", "code": "60014", "msg": "Too many sessions"})
        else:
            self.accounts[account] += 1
            self._enter("private", ws)
            await ws.send_json({"event": "login", "code": "0", "msg": "", "connId": "c"})

    async def _deny(self, ws, _frame):
        await ws.send_json({"event": "error", "code": "60011", "msg": "Please log in"})

    async def _follow(self, ws, frame):
        for channel in frame["args"]:
            await ws.send_json({"event": frame["op"], "arg": channel, "connId": "c"})
            if channel["channel"] == "account":
                await self._tell(ws, channel, {"uTime": "1597026383085", "totalEq": "1"})

    async def publish_forever(self):
        """Tell every public connection of a trade ten times a second, and nobody of an own order."""
        while True:
            await asyncio.sleep(0.1)
            trade = {"ts": str(time.time_ns() // 1_000_000), "px": "1", "sz": "1"}
            arg = {"channel": "trades", "instId": "BTC-USDT"}
            for ws in list(self.open["public"]):
                await self._tell(ws, arg, trade)

    @staticmethod
    async def _tell(ws, arg, item):
        with contextlib.suppress(ConnectionError):  # Who left without a word.
            if not ws.closed:
                await ws.send_json({"arg": arg, "data": [item]})


async def main():
    venue = OkxVenue()
    app = web.Application()
    app.router.add_get("/ws/v5/public", venue.public)
    app.router.add_get("/ws/v5/private", venue.private)
    app.router.add_get("/counts", venue.counts)
    app.router.add_get("/set", venue.set)
    app.router.add_get("/cut", venue.cut)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    host, port = site._server.sockets[0].getsockname()
    sys.stderr.write(f"venue ready on http://{host}:{port}\n")
    sys.stderr.flush()
    await venue.publish_forever()


if __name__ == "__main__":
    asyncio.run(main())
