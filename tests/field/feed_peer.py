"""One connection of a feed, spoken with the standard library alone: what is sent and what came can be
looked at byte by byte.
"""

import asyncio
import json
import struct
import sys
import time

ARGUMENTS = sys.argv[2:]
"""Of the behaviour that the feed was started with."""
EVERY_S = 0.1


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


async def quiet(peer, _path):
    await push(peer, lambda n: peer.send(plain(n)))
