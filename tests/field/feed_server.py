"""A feed that behaves as one of many found in the field: feed_server.py BEHAVIOUR [ARGUMENT ...].

Prints its port, then serves until it is killed. HTTP and WebSocket are spoken with the standard
library alone, so that what is sent and what came can be looked at byte by byte.
"""

import asyncio
import base64
import hashlib
import json
import struct
import sys
import time
import zlib

import brotli

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
EVERY_S = 0.1
ARGUMENTS = sys.argv[2:]
PUBLISHING = []


class Peer:
    """One upgraded connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.is_over, self.is_deaf = reader, writer, False, False

    def send(self, message, opcode=1):
        data = message if isinstance(message, bytes) else as_text(message).encode()
        size = len(data)
        head = bytes((0x80 | opcode, min(126, size)))
        self.writer.write(head + (struct.pack(">H", size) if size >= 126 else b"") + data)

    def close(self, code, reason):
        self.is_over = True
        self.send(struct.pack(">H", code) + reason.encode(), 8)

    async def texts(self):
        """Yield what the client sends, until it leaves."""
        async for _opcode, data in self.messages():
            yield data.decode()

    async def messages(self):
        """Yield opcode and bytes of what the client sends, until it leaves."""
        while not self.is_over:
            first, second = await self.reader.readexactly(2)
            size = second & 127
            if size == 126:
                (size,) = struct.unpack(">H", await self.reader.readexactly(2))
            mask = await self.reader.readexactly(4)
            data = await self.reader.readexactly(size)
            data = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
            if first & 15 == 8:
                return
            if first & 15 == 9 and not self.is_deaf:
                self.send(data, 10)
            if first & 15 in {1, 2}:
                yield first & 15, data

    async def publish(self, say):
        """Call *say* with 1, 2, ... until the connection is over."""
        count = 0
        while not self.is_over:
            count += 1
            say(count)
            await asyncio.sleep(EVERY_S)


def as_text(message):
    return message if isinstance(message, str) else json.dumps(message)


def now_ms():
    return round(time.time() * 1000)


def plain(count, **more):
    return {"seq": count, "ts": now_ms(), **more}


async def push(peer, say):
    """Publish to whoever connects, and answer nothing."""
    task = asyncio.create_task(peer.publish(say))
    async for _text in peer.texts():
        pass
    task.cancel()


def bare_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def gzipped(data):
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzipped,
    "zlib": zlib.compress,
    "deflate": bare_deflate,
    "brotli": brotli.compress,
}
ENDS = {"newline": "\n", "record_separator": "\x1e", "nul": "\0"}


async def packed(peer, _path):
    packer = PACKERS[ARGUMENTS[0]]
    await push(peer, lambda n: peer.send(packer(as_text(plain(n)).encode()), 2))


async def divided(peer, _path):
    end = ENDS[ARGUMENTS[0]]

    def say(count):
        numbers = range(3 * count - 2, 3 * count + 1)
        peer.send(end.join(as_text(plain(n)) for n in numbers) + ("" if end == "\n" else end))

    await push(peer, say)


async def listed(peer, _path):
    await push(peer, lambda n: peer.send([plain(2 * n - 1), plain(2 * n)]))


async def arrays(peer, _path):
    await push(peer, lambda n: peer.send([340, {"t": f"{time.time():.6f}", "n": n}, "tick", "A"]))


async def nan(peer, _path):
    await push(peer, lambda n: peer.send(plain(n, price=float("nan") if n % 5 == 0 else 1.5)))


async def number_texts(peer, _path):
    def say(count):
        if count % 10:
            peer.send({"ts": now_ms(), "seq": str(2**60 + count)})

    await push(peer, say)


async def unnumbered(peer, _path):
    await push(peer, lambda _n: peer.send({"ts": now_ms(), "seq": None}))


async def ranges(peer, _path):
    lost_every = int(ARGUMENTS[0])

    def say(count):
        if not lost_every or count % lost_every:
            peer.send({"ts": now_ms(), "U": 10 * count - 9, "u": 10 * count})

    await push(peer, say)


async def binary(peer, _path):
    await push(peer, lambda n: peer.send(b"\x0a\x07" + bytes((n % 256, 255)) * 20, 2))


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


def only_host(path, headers, _token):
    hosts = headers.get("host", [])
    if hosts == [ARGUMENTS[0]]:
        return None
    return "400 Bad Request" if len(hosts) != 1 else "421 Misdirected Request"


def with_key(path, headers, _token):
    if headers.get("authorization") == [f"Bearer {ARGUMENTS[0]}"]:
        return None
    return '401 Unauthorized\r\nWWW-Authenticate: Bearer realm="feed"'


def without_origin(path, headers, _token):
    return "403 Forbidden" if "origin" in headers else None


def redirected(path, headers, _token):
    return None if path.endswith("/") else f"{ARGUMENTS[0]} Moved\r\nLocation: {path}/"


def busy(path, headers, _token):
    return "429 Too Many Requests\r\nRetry-After: 30"


def banned(path, headers, _token):
    return "418 I'm a teapot\r\nRetry-After: 120"


def once(path, headers, tokens):
    token = path.partition("token=")[2]
    if token in tokens:
        tokens.discard(token)
        return None
    return "401 Unauthorized"


GATES = {
    "only_host": only_host,
    "with_key": with_key,
    "without_origin": without_origin,
    "redirected": redirected,
    "busy": busy,
    "banned": banned,
    "once": once,
}
BEHAVIOURS = {
    each.__name__: each
    for each in (
        packed,
        divided,
        listed,
        arrays,
        nan,
        number_texts,
        unnumbered,
        ranges,
        binary,
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


async def quiet(peer, _path):
    await push(peer, lambda n: peer.send(plain(n)))


async def main():
    behave = BEHAVIOURS.get(sys.argv[1], quiet)
    gate = GATES.get(sys.argv[1])
    tokens = {f"row{n}" for n in range(3)}

    async def client(reader, writer):
        try:
            while True:
                await serve_one(reader, writer, behave, gate, tokens)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def serve_one(reader, writer, behave, gate, tokens):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    _method, path, _version = lines[0].split(" ", 2)
    headers = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), []).append(value.strip())
    is_upgrade = "upgrade" in headers
    if path == "/token":
        tokens.add(f"t{len(tokens)}x{now_ms()}")
        return answer(writer, "200 OK", as_text({"data": {"token": max(tokens - {"row0"})}}))
    refusal = gate(path, headers, tokens) if gate is not None else None
    if refusal is not None:
        return answer(writer, refusal, as_text({"error": "see the headers"}))
    if not is_upgrade:
        return answer(writer, "200 OK", as_text(plain(1)))
    key = headers["sec-websocket-key"][0].encode()
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    peer = Peer(reader, writer)
    await behave(peer, path)
    raise ConnectionError


def answer(writer, status, body):
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


if __name__ == "__main__":
    asyncio.run(main())
