"""A venue in the test's own process that takes orders over WebSocket, as well as it is told to."""

import json
import runpy
import time
from pathlib import Path

import gevent
from gevent.server import StreamServer
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

SMALL = runpy.run_path(str(Path(__file__).parent / "small_target.py"))
VALUES = {
    "id": 1,
    "symbol": "BTC-PERPETUAL",
    "connection": 0,
    "order_id": "X-1",
    "client_id": "me",
    "client_secret": "s",
    "amount": 10,
    "price": 1,
    "amended_price": 2,
}


def orders_with(port, over=("websocket", "rest"), answer_timeout_s=5.0, **changes):
    """Return what a master sends when a run begins whose target takes orders."""
    orders = SMALL["orders_for"](port, **changes)
    given = {
        name: VALUES[name]
        for name in ("client_id", "client_secret", "amount", "price", "amended_price")
    }
    orders["target"]["orders"] = {
        "over": list(over),
        "answer_timeout_s": answer_timeout_s,
        "values": given,
    }
    return orders


class Venue:
    """`behaviour` is answer, silent, drop or late; `took_s` holds how long each answer really took."""

    def __init__(self, delay_s=0.0):
        self.behaviour, self.delay_s = "answer", delay_s
        self.frames, self.before_answers, self.took_s = [], [], []
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.port = self._server.server_port

    def stop(self):
        self._server.stop(timeout=0)

    def _serve(self, sock, _address):
        protocol = WSConnection(ConnectionType.SERVER)
        while data := sock.recv(65536):
            arrived_s = time.monotonic()
            protocol.receive_data(data)
            for event in protocol.events():
                if isinstance(event, Request):
                    sock.sendall(protocol.send(AcceptConnection()))
                elif isinstance(event, CloseConnection) or (
                    isinstance(event, TextMessage)
                    and not self._answer(sock, protocol, event, arrived_s)
                ):
                    return

    def _answer(self, sock, protocol, event, arrived_s):
        """Return whether the connection goes on."""
        frame = json.loads(event.data)
        self.frames.append(frame)
        if self.behaviour in ("silent", "drop"):
            return self.behaviour == "silent"
        if self.behaviour == "late":
            gevent.sleep(0.4)
        if self.delay_s:
            gevent.sleep(self.delay_s)
        result = {"access_token": "t", "order": {"order_id": "X-1"}}
        said = [*self.before_answers, {"id": frame.get("id"), "result": result}]
        for each in said:
            text = each if isinstance(each, str) else json.dumps({"jsonrpc": "2.0", **each})
            sock.sendall(protocol.send(TextMessage(data=text)))
        if frame["method"] != "public/auth":
            self.took_s.append(time.monotonic() - arrived_s)
        return True
