"""Traders of plain sockets and threads, at a constant pace: what ours is compared with.

plain.py PORT TRADERS INTERVAL_MS SECONDS SETTLE_S      prints when each was answered and its
latency from the intent in ms, by way
Half of the traders ask over WebSocket, half over REST. Nothing is shared with the program.
"""

import json
import os
import socket
import sys
import threading
import time

from wire import Peer

ASKED = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "private/buy",
    "params": {"instrument_name": "BTC-PERPETUAL", "type": "limit", "amount": 10, "price": 1},
}
BODY = json.dumps(ASKED).encode()
HANDSHAKE = (
    b"GET /ws/api/v2 HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
REQUEST = b"POST /api/v2/private/buy HTTP/1.1\r\nHost: venue\r\nContent-Length: %d\r\n\r\n%s"
WAYS = ("websocket", "rest")


def ask(peer: Peer, way: str) -> None:
    if way == "websocket":
        peer.send_frame(BODY, mask=os.urandom(4))
        peer.frame()
    else:
        peer.socket.sendall(REQUEST % (len(BODY), BODY))
        peer.http()


def trade(
    port: int, way: str, first_s: float, interval_s: float, ends_s: float, counts_from_s: float
) -> list[tuple[float, float]]:
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        peer = Peer(sock)
        if way == "websocket":
            sock.sendall(HANDSHAKE)
            peer.http()
        intended_s = first_s
        while intended_s < ends_s:
            time.sleep(max(0.0, intended_s - time.monotonic()))
            ask(peer, way)
            if intended_s >= counts_from_s:
                now_s = time.monotonic()
                found.append((now_s, (now_s - intended_s) * 1e3))
            intended_s += interval_s
    return found


def main() -> None:
    port, traders = int(sys.argv[1]), int(sys.argv[2])
    interval_s, seconds, settle_s = float(sys.argv[3]) / 1e3, float(sys.argv[4]), float(sys.argv[5])
    begin_s = time.monotonic() + 0.5
    latencies: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}

    def run(number: int) -> None:
        way = WAYS[number % len(WAYS)]
        first_s = begin_s + interval_s * number / traders
        ends_s = begin_s + settle_s + seconds
        latencies[way] += trade(port, way, first_s, interval_s, ends_s, begin_s + settle_s)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(traders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(latencies), flush=True)


if __name__ == "__main__":
    main()
