"""aiosignalr: a hub with a group for each channel, updates when it is told to, and how many it sent."""

import sys
import time

from aiohttp import web
from aiosignalr.server import Hub, SignalRServer

followers: dict[str, set[str]] = {}
sent = {"updates": 0}


class Feed(Hub):
    async def Subscribe(self, channel):  # noqa: N802 - as hubs call their methods
        await self.groups.add(channel)
        followers.setdefault(channel, set()).add(self.context.connection_id)

    async def on_disconnected(self, _exception):
        for members in followers.values():
            members.discard(self.context.connection_id)


server = SignalRServer(Feed)


async def publish(request):
    for number in range(int(request.query["from"]), int(request.query["to"])):
        update = {"symbol": "BTC", "seq": number, "ts": round(time.time() * 1000)}
        await server.lifetime.send_group("BTC", "update", (update,))
        sent["updates"] += len(followers["BTC"])
    return await count(request)


async def count(_request):
    return web.Response(text=str(sent["updates"]))


application = server.create_application()
application.router.add_get("/publish", publish)
application.router.add_get("/count", count)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
