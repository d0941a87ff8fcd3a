"""What the servers of the validation have in common: the conversation and the planted costs.

A client asks {"op": "subscribe", "id": 1, "channels": [...]}, is told {"id": 1, "ok": true}, and from
then on gets {"ch": ..., "ts": milliseconds, "seq": n} at the planted rate.
"""

import argparse
import gc
import json
import mmap
import socket
import ssl
import sys
import time
from collections import deque
from pathlib import Path


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate-per-s", type=float, default=2.0, help="updates of a subscriber")
    parser.add_argument("--payload-bytes", type=int, default=100)
    parser.add_argument("--state-bytes", type=int, default=0, help="kept for a connection")
    parser.add_argument("--burst-bytes", type=int, default=0, help="for a connection, every 3 s")
    parser.add_argument("--leak-bytes", type=int, default=0, help="not given back by a connection")
    parser.add_argument("--arrival-bytes", type=int, default=0, help="for 2 s after a connect")
    parser.add_argument(
        "--stalled-bytes-per-s", type=int, default=0, help="queued for a connection"
    )
    parser.add_argument("--message-us", type=float, default=0.0, help="CPU time of an update")
    parser.add_argument("--message-wait-us", type=float, default=0.0, help="sleep before an update")
    parser.add_argument("--batch-us", type=float, default=0.0, help="CPU time of a round for one")
    parser.add_argument("--batch-power", type=float, default=1.0, help="how it grows with them")
    parser.add_argument("--table-bytes", type=int, default=0, help="of an entry; doubles when full")
    parser.add_argument("--book-levels", type=int, default=0, help="in an update")
    parser.add_argument("--heap-mib", type=int, default=0, help="cap of the runtime; 0: its own")
    parser.add_argument("--accepts-per-s", type=float, default=0.0, help="others wait; 0: at once")
    parser.add_argument("--accept-burst", type=int, default=0, help="at once after a rest")
    parser.add_argument("--handshake-us", type=float, default=0.0, help="CPU time of a handshake")
    parser.add_argument("--request-us", type=float, default=0.0, help="CPU time of a request")
    parser.add_argument("--max-connections", type=int, default=0, help="refuses more; 0: none")
    parser.add_argument(
        "--when-full",
        choices=("refuse", "send-away", "stop", "starve"),
        default="refuse",
        help="or upgrade and close with 1013, or accept nobody, or confirm and send no update",
    )
    parser.add_argument("--connects-per-s", type=float, default=0.0, help="refuses more; 0: none")
    parser.add_argument("--backlog", type=int, default=2048)
    parser.add_argument("--queue-bytes", type=int, default=0, help="kept for who reads slowly")
    parser.add_argument("--deflate", action="store_true")
    parser.add_argument("--certificate", type=Path, help="speaks TLS; key.pem lies beside it")
    parser.add_argument("--protocol", default="stomp", help="of a broker that speaks several")
    parser.add_argument(
        "--watermark-mib", type=int, default=0, help="memory at which it holds back"
    )
    parser.add_argument("--ports", type=int, default=0, help="of the runtime; 0: its own")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--build", action="store_true", help="compiles, no more")
    parser.add_argument("--quiet", action="store_true", help="does not say when it is ready")
    return parser.parse_args()


def ready(port):
    print(f"server ready on 127.0.0.1:{port}", file=sys.stderr, flush=True)


def listen(options, **more):
    """Return a listening socket; with a cap on queues, the kernel keeps little beside them."""
    sock = socket.create_server((options.host, options.port), backlog=options.backlog, **more)
    if options.queue_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    return sock


def tls_context(options):
    """Return how to speak TLS, None if the server does not."""
    if options.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.certificate.with_name("key.pem"))
    return context


def burn(microseconds):
    """Use that much CPU time of this thread."""
    if microseconds > 0:
        until_ns = time.thread_time_ns() + microseconds * 1000
        while time.thread_time_ns() < until_ns:
            pass


def wait(microseconds):
    """Do nothing for so long, and let nobody else have a turn: no CPU time is used."""
    if microseconds > 0:
        time.sleep(microseconds / 1e6)


ARRIVING_S = 2.0


def touched(size):
    """Return memory of its own mapping, every page of it in use; closed, it is given back at once."""
    memory = mmap.mmap(-1, size)
    for page in range(0, size, mmap.PAGESIZE):
        memory[page] = 1
    return memory


class Venue:
    """Planted costs of connections, updates, handshakes and requests."""

    def __init__(self, options):
        self.options = options
        self.open = 0
        self.leaked = []
        self._entries, self._table = 64, b""
        self._arriving, self._queued = deque(), deque()
        self._seq = 0
        self._tokens, self._filled_s = 0.0, time.monotonic()
        self._padding = "x" * options.payload_bytes
        gc.freeze()

    def admits(self):
        rate_per_s = self.options.connects_per_s
        if rate_per_s:
            now_s = time.monotonic()
            self._tokens += rate_per_s * (now_s - self._filled_s)
            self._tokens, self._filled_s = min(self._tokens, rate_per_s), now_s
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
        burn(self.options.handshake_us)
        return self.options.when_full != "refuse" or not self.is_full

    @property
    def is_full(self):
        return 0 < self.options.max_connections <= self.open

    def enter(self):
        """Return the state of a new connection, its pages touched."""
        self.open += 1
        if self.options.arrival_bytes:
            self._arriving.append(
                (time.monotonic() + ARRIVING_S, touched(self.options.arrival_bytes))
            )
        if self.options.leak_bytes:
            self.leaked.append(b"\x01" * self.options.leak_bytes)
        if self.options.table_bytes and (self.open > self._entries or not self._table):
            self._entries *= 2 if self.open > self._entries else 1
            self._table = b"\x01" * (self._entries * self.options.table_bytes)
        return b"\x01" * self.options.state_bytes

    def leave(self):
        self.open -= 1

    def answer(self, text, channels):
        """Return the reply to a client's message; *channels* are changed by it."""
        asked = json.loads(text)
        if asked.get("op") == "subscribe":
            channels.update(asked["channels"])
        elif asked.get("op") == "unsubscribe":
            channels.difference_update(asked["channels"])
        return json.dumps({"id": asked.get("id"), "ok": True})

    def update(self):
        """Return the next update as text."""
        self._seq += 1
        while self._arriving and self._arriving[0][0] < time.monotonic():
            self._arriving.popleft()[1].close()
        if self.options.stalled_bytes_per_s and self.open:
            # What waits for a source that is stalled: an event for each connection.
            each = self.options.stalled_bytes_per_s / self.options.rate_per_s
            self._queued.append(touched(round(each * self.open)))
        return json.dumps(
            {"ch": "updates", "ts": time.time() * 1000, "seq": self._seq, "pad": self._padding}
        )

    def has_room(self, transport):
        """Return whether what a client has not read yet leaves room for one more update."""
        cap = self.options.queue_bytes
        return not cap or transport.get_write_buffer_size() + self.options.payload_bytes <= cap

    def snapshot(self):
        burn(self.options.request_us)
        return json.dumps({"ts": time.time() * 1000, "pad": self._padding})


async def publish(venue, clients, send):
    """Send an update to each of *clients* that subscribed, at the planted rate, for ever."""
    import asyncio

    options, round_s = venue.options, 1.0 / venue.options.rate_per_s
    due_s, rounds = time.monotonic() + round_s, 0
    while True:
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        # Behind by more than a round: rounds are left out, as venues that conflate do.
        due_s = max(due_s + round_s, time.monotonic())
        rounds += 1
        burst = None
        if options.burst_bytes and rounds % max(1, round(3 * options.rate_per_s)) == 0:
            burst = b"\x01" * (options.burst_bytes * len(clients))
        text = venue.update()
        followers = [client for client in clients if client.channels]
        burn(options.batch_us * len(followers) ** options.batch_power)
        for n, client in enumerate(followers):
            burn(options.message_us)
            wait(options.message_wait_us)
            send(client, text)
            if n % 50 == 49:
                await asyncio.sleep(0)
        await asyncio.sleep(0.05 if burst else 0)
        del burst
