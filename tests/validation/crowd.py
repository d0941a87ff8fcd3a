"""The breaker's clients: subscribers, the pollers that come along, and when so many are held.

A count is held when all connections are open, their subscriptions confirmed or served, at least 97 % of
the updates arrive, and the 95th percentile of their delay stays within the objective if there is one.
Clients that read less than they are sent have to stay connected, no more. Where the mix has polls, as
many pollers as it takes come along, and at least 97 % of their polls are answered in time.
"""

import asyncio
import math
import socket
import ssl
import time
import zlib

from spoken import PROTOCOLS, masked, new_name

REQUEST = (
    b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
SUBPROTOCOL = b"Sec-WebSocket-Protocol: %s\r\n"
RECEIVED_RATIO = 0.97
"""A server at 103 % of what it can do sends that much of what is due."""
SLOW_PIECE_BYTES, SLOW_PAUSE_S = 4096, 4.096
"""A slow client reads so much at a time, 1,000 bytes a second."""
OPEN_TIMEOUT_S = 5.0
PING, PING_EVERY_S = 0x89, 20.0
CLOSE = 0x8
"""Opcode of a close frame."""
POLL = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Subscriber(asyncio.BufferedProtocol):
    def __init__(self, crowd, is_slow):
        self.crowd, self.data, self.shaken, self.is_slow = crowd, b"", False, is_slow
        self.buffer = bytearray(SLOW_PIECE_BYTES if is_slow else 65_536)
        self.inflate = zlib.decompressobj(-15) if crowd.options.deflate else None
        self.protocol, self.step, self.name = PROTOCOLS[crowd.options.protocol], 0, new_name()
        self.confirmed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        options, spoken = self.crowd.options, self.protocol.subprotocol
        more = DEFLATE if options.deflate else b""
        more += SUBPROTOCOL % spoken if spoken else b""
        transport.write(REQUEST % (options.path.encode(), more))

    def connection_lost(self, _error):
        self.crowd.members.discard(self)
        if not self.confirmed.done():
            self.confirmed.set_result(False)
        elif not self.crowd.is_leaving:
            self.crowd.lost += 1

    def get_buffer(self, _hint):
        return self.buffer

    def buffer_updated(self, size):
        if self.is_slow and self.confirmed.done():
            self.read_again_after_a_pause()
            return  # What a slow client is sent is of no interest.
        self.data += self.buffer[:size]
        if not self.shaken:
            head, end, rest = self.data.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.transport.abort()
                return
            self.shaken, self.data = True, rest
            self._say()
        now_ms = time.time() * 1000
        while len(self.data) >= 2:
            size, start = self.data[1] & 127, 2
            if size == 126:
                size, start = int.from_bytes(self.data[2:4], "big"), 4
            if len(self.data) < start + size:
                return
            if self.data[0] & 0x0F == CLOSE:
                self.transport.abort()  # A farewell confirms nothing.
                return
            is_deflated = self.data[0] & 0x40
            payload, self.data = self.data[start : start + size], self.data[start + size :]
            if is_deflated:
                payload = self.inflate.decompress(payload + b"\x00\x00\xff\xff")
            self._take(payload, now_ms)

    def _say(self):
        said, _answer = self.protocol.step(self.step, self.name)
        if said is not None:
            self.transport.write(masked(said, self.protocol.opcode))

    def _take(self, payload, now_ms):
        if not self.confirmed.done():
            if self.protocol.steps[self.step][1] not in payload:
                return
            self.step += 1
            if self.step < len(self.protocol.steps):
                self._say()
                return
            self.confirmed.set_result(True)
            self.crowd.members.add(self)
            if self.is_slow:
                self.read_again_after_a_pause()
            return
        stamps = self.protocol.stamp.findall(payload)
        self.crowd.received += len(stamps)
        if stamps and self.crowd.received % 7 == 0:
            self.crowd.delays_ms.append(now_ms - float(stamps[-1]))

    def ping(self):
        self.transport.write(masked(b"", PING))

    def read_again_after_a_pause(self):
        self.transport.pause_reading()
        asyncio.get_running_loop().call_later(SLOW_PAUSE_S, self.transport.resume_reading)


class Poller(asyncio.Protocol):
    """Polls once an interval over a connection that it keeps, and opens it again when it is lost."""

    def __init__(self, crowd):
        self.crowd, self.transport, self.is_due = crowd, None, False

    def data_received(self, data):
        if self.is_due and data.startswith(b"HTTP/1.1 200"):
            self.is_due = False
            self.crowd.answered += 1

    def connection_lost(self, _error):
        self.transport = None

    async def poll(self):
        options = self.crowd.options
        try:
            while True:
                began_s = time.monotonic()
                if self.transport is None:
                    await self._open()
                if self.transport is not None and not self.is_due:
                    self.is_due = True
                    self.transport.write(POLL % options.poll_path.encode())
                spent_s = time.monotonic() - began_s
                await asyncio.sleep(max(0.0, options.poll_interval_s - spent_s))
        finally:
            if self.transport is not None:
                self.transport.abort()

    async def _open(self):
        options, loop = self.crowd.options, asyncio.get_running_loop()
        self.is_due = False
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                self.transport, _ = await loop.create_connection(
                    lambda: self, options.host, options.port, ssl=self.crowd.tls
                )
        except (OSError, TimeoutError):
            pass


async def connected(host, port):
    """Return a socket that takes in little of what it does not read."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    await asyncio.get_running_loop().sock_connect(sock, (host, port))
    return sock


class Crowd:
    """The connections that are open."""

    def __init__(self, options):
        self.options = options
        self.members, self.lost, self.received, self.delays_ms = set(), 0, 0, []
        self.is_leaving, self._opened = False, 0
        self.pollers, self.answered = [], 0
        self.tls = ssl.create_default_context() if options.tls else None
        if self.tls:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    async def open(self):
        """Return whether one more connection could be opened and subscribed."""
        loop = asyncio.get_running_loop()
        ratio, self._opened = self.options.slow_ratio, self._opened + 1
        is_slow = int(self._opened * ratio) > int((self._opened - 1) * ratio)
        host, port = self.options.host, self.options.port
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                to = (
                    {"sock": await connected(host, port)}
                    if is_slow
                    else {"host": host, "port": port}
                )
                _transport, member = await loop.create_connection(
                    lambda: Subscriber(self, is_slow), ssl=self.tls, **to
                )
                return await member.confirmed
        except (OSError, TimeoutError):
            return False

    async def poll_for(self, count):
        """Have as many pollers as *count* connections bring along."""
        options = self.options
        due = math.ceil(count * options.polls_per_s * options.poll_interval_s - 1e-9)
        while len(self.pollers) < due:
            self.pollers.append(asyncio.ensure_future(Poller(self).poll()))
            await asyncio.sleep(0.01)
        for poller in self.pollers[due:]:
            poller.cancel()
        del self.pollers[due:]

    async def grow_to(self, count):
        """Open connections at the asked rate; return whether all *count* are there."""
        await self.poll_for(count)
        lost, began_s, opened = self.lost, time.monotonic(), 0
        missing, pending = count - len(self.members), set()
        while opened < missing:
            pending.add(asyncio.ensure_future(self.open()))
            opened += 1
            if len(pending) >= self.options.at_once:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                if not all(each.result() for each in done):
                    break
            due_s = began_s + opened / self.options.rate_per_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        results = await asyncio.gather(*pending)
        return all(results) and self.lost == lost and len(self.members) >= count

    async def stay_alive(self):
        """Ping as browsers' libraries do: brokers close whoever says nothing for a minute."""
        while True:
            await asyncio.sleep(PING_EVERY_S)
            for member in list(self.members):
                member.ping()

    async def shrink_to(self, count):
        self.is_leaving = True
        await self.poll_for(count)
        for member in list(self.members)[count:]:
            member.transport.abort()
        await asyncio.sleep(1.0)
        self.is_leaving = False

    async def holds(self):
        """Return whether the acceptance test holds for the time to hold, at once or once more.

        A round of updates may fall on either side of the window's ends: the second one begins half
        a round later.
        """
        lost = self.lost
        if await self._holds_once():
            return True
        await asyncio.sleep(0.5 / self.options.updates_per_s)
        return self.lost == lost and await self._holds_once()

    async def _holds_once(self):
        count, lost = sum(not member.is_slow for member in self.members), self.lost
        await asyncio.sleep(0.5)
        received, answered, began_s = self.received, self.answered, time.monotonic()
        self.delays_ms = []
        await asyncio.sleep(self.options.hold_s)
        took_s = time.monotonic() - began_s
        due = count * self.options.updates_per_s * took_s
        polls_due = len(self.pollers) * took_s / self.options.poll_interval_s
        slow_ms = sorted(self.delays_ms)[int(len(self.delays_ms) * 0.95)] if self.delays_ms else 0.0
        return (
            self.lost == lost
            and self.received - received >= RECEIVED_RATIO * due
            # One poll of each may fall on either side of the window's ends.
            and self.answered - answered >= RECEIVED_RATIO * polls_due - len(self.pollers)
            and (not self.options.slo_ms or slow_ms <= self.options.slo_ms)
        )
