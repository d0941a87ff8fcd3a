"""A venue that says back what it is told: a login with its token, a subscription with all it holds.

Started with the word `refuse` it refuses every login, in the words that it got, and then closes with them.
"""

import asyncio
import json
import sys

from aiohttp import WSMsgType, web

TOKEN = "token-of-the-session"


async def serve(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        if message.type is not WSMsgType.TEXT:
            continue
        asked = json.loads(message.data)
        if asked["op"] == "login" and "refuse" in sys.argv:
            said = f"no such key: {asked['key']}"
            await ws.send_json({"event": "error", "op": "login", "msg": said, "asked": asked})
            await ws.close(code=4401, message=said.encode())
        elif asked["op"] == "login":
            await ws.send_json({"event": "done", "op": "login", "token": TOKEN, "asked": asked})
        else:
            await ws.send_json({"event": "done", "op": "subscribe", "asked": asked})
            await ws.send_json({"odd": asked})
            await ws.send_json({"news": 1})
    return ws


async def main():
    app = web.Application()
    app.router.add_get("/ws", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = site._server.sockets[0].getsockname()
    sys.stderr.write(f"venue ready on http://{host}:{port}\n")
    sys.stderr.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
