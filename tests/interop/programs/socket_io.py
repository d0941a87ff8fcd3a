"""python-socketio behind uvicorn: rooms by channel, updates when it is told to, and how many it sent."""

import sys
import time
from urllib.parse import parse_qs

import socketio
import uvicorn

server = socketio.AsyncServer(async_mode="asgi")
followers: dict[str, int] = {}
sent = {"updates": 0}


@server.event
async def subscribe(sid, asked):
    await server.enter_room(sid, asked["channel"])
    followers[asked["channel"]] = followers.get(asked["channel"], 0) + 1
    return []


async def publish(first, last):
    for number in range(first, last):
        body = {"channel": "BTC", "seq": number, "ts": round(time.time() * 1000)}
        await server.emit("update", body, room="BTC")
        sent["updates"] += len(list(server.manager.get_participants("/", "BTC")))


async def told(scope, receive, send):
    asked = parse_qs(scope["query_string"].decode())
    if scope["path"] == "/publish":
        await publish(int(asked["from"][0]), int(asked["to"][0]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(sent["updates"]).encode()})


application = socketio.ASGIApp(server, told)
uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
