"""As little as a server can be: its costs are the planted ones. asyncio protocols, own framing."""

import asyncio
import base64
import hashlib
import struct

from venue import Venue, arguments, listen, publish, ready

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def framed(payload):
    size = len(payload)
    head = bytes((0x81, size)) if size < 126 else struct.pack(">BBH", 0x81, 126, size)
    return head + payload


class Client(asyncio.Protocol):
    def __init__(self, venue, clients):
        self.venue, self.clients = venue, clients
        self.channels, self.data, self.state = set(), b"", None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, _error):
        self.clients.discard(self)
        if self.state is not None:
            self.venue.leave()

    def data_received(self, data):
        self.data += data
        if self.state is None:
            self._shake_hands()
        while self.state is not None and self._take_frame():
            pass

    def _shake_hands(self):
        head, end, rest = self.data.partition(b"\r\n\r\n")
        if not end:
            return
        self.data = rest
        if head.startswith(b"GET /snapshot"):
            body = self.venue.snapshot().encode()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                + str(len(body)).encode()
                + b"\r\n\r\n"
                + body
            )
            return
        if not self.venue.admits():
            self.transport.write(b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n")
            self.transport.close()
            return
        key = next(
            line.split(b":", 1)[1].strip()
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key:")
        )
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.state = self.venue.enter()
        self.clients.add(self)

    def _take_frame(self):
        if len(self.data) < 6:
            return False
        size, start = self.data[1] & 127, 2
        if size == 126:
            size, start = struct.unpack(">H", self.data[2:4])[0], 4
        if len(self.data) < start + 4 + size:
            return False
        mask = self.data[start : start + 4]
        masked = self.data[start + 4 : start + 4 + size]
        opcode, self.data = self.data[0] & 15, self.data[start + 4 + size :]
        payload = bytes(byte ^ mask[n % 4] for n, byte in enumerate(masked))
        if opcode == 8:
            self.transport.close()
        elif opcode == 9:
            self.transport.write(bytes((0x8A, len(payload))) + payload)
        elif opcode == 1:
            self.transport.write(framed(self.venue.answer(payload, self.channels).encode()))
        return True


async def accept_slowly(sock, protocol, options):
    """Accept one connection after the other at the planted rate; the kernel keeps the others."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    while True:
        connection, _address = await loop.sock_accept(sock)
        await loop.connect_accepted_socket(protocol, connection)
        await asyncio.sleep(1.0 / options.accepts_per_s)


async def accept_by_bucket(sock, protocol, options):
    """Accept at the planted rate by the clock, with bursts after a rest; the kernel keeps the others."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    each_s, spent_s = 1.0 / options.accepts_per_s, 0.0
    while True:
        connection, _address = await loop.sock_accept(sock)
        # Until then the bucket is not full again; it may be that much behind.
        spent_s = max(spent_s, loop.time()) + each_s
        await asyncio.sleep(max(0.0, spent_s - options.accept_burst * each_s - loop.time()))
        await loop.connect_accepted_socket(protocol, connection)


async def main():
    options = arguments()
    venue, clients = Venue(options), set()
    sock = listen(options)
    loop = asyncio.get_running_loop()
    if options.accepts_per_s:
        accept = accept_by_bucket if options.accept_burst else accept_slowly
        accepting = accept(sock, lambda: Client(venue, clients), options)
    else:
        server = await loop.create_server(
            lambda: Client(venue, clients), sock=sock, backlog=options.backlog
        )
        accepting = server.serve_forever()
    if not options.quiet:
        ready(sock.getsockname()[1])

    def send(client, text):
        if venue.has_room(client.transport):
            client.transport.write(framed(text.encode()))

    await asyncio.gather(accepting, publish(venue, clients, send))


asyncio.run(main())
