"""A feed that behaves as one of many found in the field: feed_server.py BEHAVIOUR [ARGUMENT ...].

Prints its port, then serves until it is killed. A behaviour is what is said over a connection, or a
gate that refuses some of those who ask for one.
"""

import asyncio
import base64
import hashlib
import sys

from feed_conversations import CONVERSATIONS
from feed_messages import MESSAGES
from feed_peer import ARGUMENTS, Peer, as_text, now_ms, plain, quiet

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


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


async def main():
    behave = {**MESSAGES, **CONVERSATIONS}.get(sys.argv[1], quiet)
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
