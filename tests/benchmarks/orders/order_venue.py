"""Takes orders over WebSocket and REST, and answers each after a known time.

venue.py USUAL_MS LATE_MS EVERY     prints its port; each EVERY-th answer of a connection is LATE_MS late
Each connection has a thread of its own, as sleeping threads wake within some 0.1 ms.
"""

import contextlib
import json
import socketserver
import sys
import time

from wire import Peer, accepted

USUAL_S, LATE_S, EVERY = float(sys.argv[1]) / 1e3, float(sys.argv[2]) / 1e3, int(sys.argv[3])
RESULT = {"access_token": "t", "order": {"order_id": "X-1"}}


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.asked = 0
        peer = Peer(self.request)
        with contextlib.suppress(EOFError, OSError):
            while True:
                head, body = peer.http()
                welcome = accepted(head)
                if welcome is not None:
                    self.request.sendall(welcome)
                    self.talk(peer)
                    return
                answer = self.answered(body, is_login=b"/public/auth" in head)
                size = str(len(answer)).encode()
                self.request.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                    + size
                    + b"\r\n\r\n"
                    + answer
                )

    def talk(self, peer: Peer) -> None:
        while True:
            _first, payload = peer.frame()
            peer.send_frame(self.answered(payload, is_login=b"public/auth" in payload))

    def answered(self, asked: bytes, *, is_login: bool) -> bytes:
        number = json.loads(asked)["id"] if asked.startswith(b"{") else 1
        if not is_login:
            self.asked += 1
            time.sleep(LATE_S if self.asked % EVERY == 0 else USUAL_S)
        return json.dumps({"jsonrpc": "2.0", "id": number, "result": RESULT}).encode()


class Venue(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    with Venue(("127.0.0.1", 0), Handler) as venue:
        print(venue.server_address[1], flush=True)
        venue.serve_forever()
