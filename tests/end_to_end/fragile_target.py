"""A target with planted weaknesses; says its port on stdout. Standard library alone.

What it holds for a connection may bend, it may admit few, and a trouble that is planted begins with
SIGUSR1: so that a test says at which moment of a run. What it cannot have is its end.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import signal
import struct
import sys
import threading
import time
from collections import Counter

ENDED_BY_MEMORY, ENDED_BY_THREADS = 70, 71
PUBLISHED_EVERY_S = 0.5
PAGE_BYTES = 4096


def parsed(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--each-kib", type=int, default=0, help="of memory, for a connection")
    parser.add_argument("--bend", type=int, default=1 << 30, help="connections without ...")
    parser.add_argument("--bent-kib", type=int, default=0, help="... memory beside")
    parser.add_argument("--thread-each", action="store_true")
    parser.add_argument("--cap", type=int, default=1 << 30, help="connections, of all clients")
    parser.add_argument("--cap-by-address", type=int, default=1 << 30)
    parser.add_argument("--accept-s", type=float, default=0.0, help="time blocked by a handshake")
    parser.add_argument("--no", choices=["503", "429", "1013", "1008"], default="503")
    parser.add_argument("--trouble", choices=["refuse", "drop"], default="refuse")
    return parser.parse_args(arguments)


def frame(payload, code=0x81):
    length = len(payload)
    head = bytes((code, length)) if length < 126 else bytes((code, 126)) + struct.pack(">H", length)
    return head + payload


class Fragile:
    def __init__(self, options):
        self.options = options
        self.clients = {}
        """Writer -> what is held for it."""
        self.addresses = Counter()
        self.lets_in = True

    def begin_trouble(self):
        if self.options.trouble == "refuse":
            self.lets_in = False
            return
        for writer in list(self.clients)[::2]:
            writer.transport.abort()

    async def serve(self, reader, writer):
        address = writer.get_extra_info("peername")[0]
        try:
            await self.converse(reader, writer, address)
        except MemoryError:
            os._exit(ENDED_BY_MEMORY)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            self.leave(writer, address)
            writer.close()

    async def converse(self, reader, writer, address):
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
        has_room = (
            self.lets_in
            and len(self.clients) < self.options.cap
            and self.addresses[address] < self.options.cap_by_address
        )
        if key is None or (not has_room and self.options.no in {"503", "429"}):
            status = "404" if key is None else self.options.no
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
            return
        time.sleep(self.options.accept_s)  # noqa: ASYNC251 - it is what is planted
        digest = hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        if not has_room:
            writer.write(frame(struct.pack(">H", int(self.options.no)), 0x88))
            return
        self.take_in(writer, address)
        while True:
            code, text = await self.message(reader)
            if code == 8:
                return
            if code == 1:
                asked = json.loads(text)
                writer.follows = asked["op"] == "subscribe" and tuple(asked["channels"])
                writer.write(frame(json.dumps({"id": asked["id"], "ok": True}).encode()))

    def take_in(self, writer, address):
        number = len(self.clients) + 1
        kib = self.options.each_kib + (self.options.bent_kib if number > self.options.bend else 0)
        held = bytearray(kib << 10)
        held[::PAGE_BYTES] = b"x" * len(held[::PAGE_BYTES])  # Touched, or it would be free.
        thread_ends = None
        if self.options.thread_each:
            thread_ends = threading.Event()
            try:
                threading.Thread(target=thread_ends.wait, daemon=True).start()
            except RuntimeError:
                os._exit(ENDED_BY_THREADS)
        writer.follows = ()
        self.clients[writer] = (held, thread_ends)
        self.addresses[address] += 1

    def leave(self, writer, address):
        if writer in self.clients:
            _held, thread_ends = self.clients.pop(writer)
            self.addresses[address] -= 1
            if thread_ends is not None:
                thread_ends.set()

    async def message(self, reader):
        code, length = await reader.readexactly(2)
        length &= 127
        if length == 126:
            (length,) = struct.unpack(">H", await reader.readexactly(2))
        mask = await reader.readexactly(4)
        masked = await reader.readexactly(length)
        return code & 15, bytes(byte ^ mask[n % 4] for n, byte in enumerate(masked))

    async def publish(self):
        for n in range(1, 1 << 30):
            await asyncio.sleep(PUBLISHED_EVERY_S)
            for writer in list(self.clients):
                for channel in writer.follows or ():
                    update = {"channel": channel, "seq": n, "ts": time.time() * 1000}
                    writer.write(frame(json.dumps(update).encode()))


async def main():
    options = parsed()
    fragile = Fragile(options)
    server = await asyncio.start_server(
        fragile.serve, "127.0.0.1", options.port, backlog=1024, reuse_address=True
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, fragile.begin_trouble)
    threading.stack_size(128 << 10)
    publishing = asyncio.create_task(fragile.publish())
    print(server.sockets[0].getsockname()[1], flush=True)
    await publishing


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(main()))
