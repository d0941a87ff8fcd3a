"""Feeds that want to be spoken to, and feeds that end, forget or refuse."""

import asyncio
import json
import time

from feed_peer import ARGUMENTS, as_text, plain, push, quiet

PUBLISHING = []


async def mqtt(peer, _path):
    """MQTT packets, which must come as binary messages."""
    async for opcode, packet in peer.messages():
        if opcode != 2:
            peer.close(1003, "binary messages only")
            return
        if packet[0] == 0x10:
            peer.send(b"\x20\x02\0\0", 2)
        elif packet[0] == 0x82:
            number, topic = packet[2:4], packet[4:-1]
            peer.send(b"\x90\x03" + number + b"\0", 2)

            def say(count, topic=topic):
                body = topic + as_text(plain(count)).encode()
                peer.send(b"\x30" + bytes((len(body),)) + body, 2)

            peer.tasks = asyncio.create_task(peer.publish(say))


async def login(peer, _path):
    """Take subscriptions only after a login, whose answer takes a moment."""
    is_in = False
    async for text in peer.texts():
        ask = json.loads(text)
        if ask["op"] == "login":
            await asyncio.sleep(0.05)
            is_in = ask["key"] == "right"
            peer.send({"event": "login" if is_in else "error", "code": 0 if is_in else 60009})
        elif not is_in:
            peer.send({"event": "error", "code": 60011, "msg": "Please log in"})
        else:
            peer.send({"event": "subscribe"})
            task = asyncio.create_task(
                peer.publish(
                    lambda n, names=ask["args"]: [peer.send(plain(n, ch=name)) for name in names]
                )
            )
            peer.tasks = task


async def graphql(peer, _path):
    """graphql-transport-ws: acknowledge, then send `next` frames under the client's id."""
    is_acknowledged = False
    async for text in peer.texts():
        ask = json.loads(text)
        if ask["type"] == "connection_init":
            await asyncio.sleep(0.05)
            is_acknowledged = True
            peer.send({"type": "connection_ack"})
            peer.send({"type": "ping"})
        elif ask["type"] == "subscribe":
            if not is_acknowledged:
                peer.close(4401, "Unauthorized")
                return
            peer.tasks = asyncio.create_task(
                peer.publish(
                    lambda n, name=ask["id"]: peer.send(
                        {"type": "next", "id": name, "payload": {"data": plain(n)}}
                    )
                )
            )


async def signalr(peer, _path):
    """Messages end with 0x1E both ways; a handshake comes first."""
    is_ready = False
    async for text in peer.texts():
        for part in text.split("\x1e")[:-1]:
            ask = json.loads(part)
            if "protocol" in ask:
                is_ready = True
                peer.send("{}\x1e")
            elif ask.get("type") == 1 and is_ready:
                peer.send(as_text({"type": 3, "invocationId": ask["invocationId"]}) + "\x1e")
                peer.tasks = asyncio.create_task(
                    peer.publish(
                        lambda n, name=ask["arguments"][0]: peer.send(
                            as_text({"type": 1, "target": "tick", "arguments": [plain(n, s=name)]})
                            + '\x1e{"type":6}\x1e'
                        )
                    )
                )


async def pinged(peer, _path):
    """Hang up unless each ping is answered with the number that it carries."""
    asked = set()

    def say(count):
        peer.send(plain(count))
        if count % 3 == 0:
            if asked:
                peer.close(1000, "ping timeout")
                return
            asked.add(10**12 + count)
            peer.send({"ping": 10**12 + count, "params": {"id": f"p{count}"}})

    task = asyncio.create_task(peer.publish(say))
    async for text in peer.texts():
        asked.discard(json.loads(text).get("pong"))
    task.cancel()


async def paced(peer, _path):
    """Close whoever sends more than five messages in a second, or refuse what is too much."""
    stamps = []
    async for text in peer.texts():
        ask = json.loads(text)
        stamps = [at for at in stamps if time.monotonic() - at <= 1.0] + [time.monotonic()]
        if len(stamps) <= 5:
            peer.send({"id": ask["id"], "ok": True})
        elif "refuse" in ARGUMENTS:
            peer.send({"id": ask["id"], "ok": False, "why": "rate_limited"})
        else:
            peer.close(1008, "Too many requests")


async def forgetful(peer, _path):
    """Publish to each for a while, then forget every second one; with "dead", answer it no ping either."""
    forgetful.count = number = getattr(forgetful, "count", 0) + 1
    is_forgotten = number % 2 == 0
    peer.is_deaf = is_forgotten and "dead" in ARGUMENTS
    await push(
        peer,
        lambda n: None if "idle" in ARGUMENTS or (is_forgotten and n > 3) else peer.send(plain(n)),
    )


async def aging(peer, _path):
    """Close each connection when it is so old, whatever the load."""
    asyncio.get_running_loop().call_later(
        float(ARGUMENTS[0]), peer.close, int(ARGUMENTS[1]), "max connection age"
    )
    await quiet(peer, _path)


async def unwilling(peer, _path):
    peer.close(int(ARGUMENTS[0]), ARGUMENTS[1])


async def capped(peer, _path):
    """Takes so many subscriptions of a connection; how it refuses the next one is the first argument."""
    way, most = ARGUMENTS[0], int(ARGUMENTS[1])
    followed = []
    async for text in peer.texts():
        ask = json.loads(text)
        taken = ask["args"][: max(0, most - len(followed))]
        has_room = len(taken) == len(ask["args"])
        if has_room or way == "list":
            peer.send({"id": ask["id"], "result": taken})
        elif way == "error":
            peer.send(
                {"id": ask["id"], "error": {"code": 4, "message": f"Limit of {most} exceeded"}}
            )
        elif way == "close":
            peer.close(1008, f"too many subscriptions, at most {most}")
            return
        for name in taken if has_room or way == "list" else ():
            followed.append(name)
            PUBLISHING.append(asyncio.ensure_future(peer.publish(updates_of(peer, name))))


def updates_of(peer, name):
    return lambda n: peer.send(plain(n, channel=name))


async def partly(peer, _path):
    """Confirm all channels but those called B."""
    async for text in peer.texts():
        ask = json.loads(text)
        peer.send({"id": ask["id"], "ok": True, "channels": [c for c in ask["args"] if c != "B"]})


CONVERSATIONS = {
    each.__name__: each
    for each in (
        mqtt,
        login,
        graphql,
        signalr,
        pinged,
        paced,
        forgetful,
        aging,
        unwilling,
        partly,
        capped,
    )
}
