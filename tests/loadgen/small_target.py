"""A WebSocket target in the test's own process: real sockets, its behaviour set, its hearing kept."""

import json
import socket
import time

import gevent
from gevent.lock import Semaphore
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from capacity.settings import dialect as dialect_settings
from capacity.settings.locate import find

PATIENCE_S = 30


class Client:
    """One accepted connection, as the target sees it."""

    def __init__(self, sock):
        self.socket = sock
        self.protocol = WSConnection(ConnectionType.SERVER)
        self.path = ""
        self.frames, self.pongs = [], []
        self.channels = set()
        self._sending = Semaphore()
        self.is_open = True
        self.said_goodbye = False

    def send(self, event):
        with self._sending:  # Who waits for room must not be interrupted within a frame.
            self.socket.sendall(self.protocol.send(event))

    def say(self, **frame):
        self.send(TextMessage(data=json.dumps({"jsonrpc": "2.0", **frame})))

    def publish(self, channel, **data):
        data = {"timestamp": time.time() * 1000, **data}
        self.say(method="subscription", params={"channel": channel, "data": data})

    def ping(self, payload):
        self.send(Ping(payload=payload))

    def close_with(self, code):
        self.send(CloseConnection(code=code))

    def drop(self):
        self.socket.shutdown(socket.SHUT_RDWR)

    def asked(self, method):
        """Return the parameters of every request of this method."""
        return [frame["params"] for frame in self.frames if frame.get("method") == method]


class SmallTarget:
    def __init__(self):
        self.clients = []
        self.arrived_s = []
        """When handshakes began, by the monotonic clock."""
        self.status = 101
        self.retry_after = None
        self.handshake_s = 0.0
        self.answer_s = 0.0
        self.refused = set()
        self.is_dropping = False
        self.closes_with = self.greets_with = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._greenlets = [gevent.spawn(self._accept_forever)]

    @property
    def open_clients(self):
        return [client for client in self.clients if client.is_open]

    def close(self):
        gevent.killall(self._greenlets)
        self._listener.close()

    def _accept_forever(self):
        while True:
            sock, _address = self._listener.accept()
            self.arrived_s.append(time.monotonic())
            self._greenlets.append(gevent.spawn(self._serve, sock))

    def _serve(self, sock):
        client = Client(sock)
        with sock:
            try:
                while data := sock.recv(65536):
                    client.protocol.receive_data(data)
                    for event in client.protocol.events():
                        if not self._handle(client, event):
                            return
            except OSError:
                return
            finally:
                client.is_open = False

    def _handle(self, client, event):
        """Return whether the connection goes on."""
        if isinstance(event, Request):
            gevent.sleep(self.handshake_s)
            if self.status != 101:
                asked = [] if self.retry_after is None else [(b"retry-after", self.retry_after)]
                client.send(RejectConnection(status_code=self.status, headers=asked))
                return False
            client.path = event.target
            client.send(AcceptConnection())
            self.clients.append(client)
            if self.greets_with is not None:
                client.send(TextMessage(data=self.greets_with))
            if self.closes_with is not None:
                client.send(CloseConnection(code=self.closes_with))
                return False
            return not self.is_dropping
        if isinstance(event, TextMessage):
            client.frames.append(json.loads(event.data))
            gevent.sleep(self.answer_s)
            self._answer(client, client.frames[-1])
        elif isinstance(event, Ping):
            client.send(event.response())
        elif isinstance(event, Pong):
            client.pongs.append(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            client.said_goodbye = True
            return False
        return True

    def _answer(self, client, frame):
        channels = frame["params"].get("channels", [])
        result = [channel for channel in channels if channel not in self.refused]
        if frame["method"] == "public/subscribe":
            client.channels |= set(result)
        elif frame["method"] == "public/unsubscribe":
            client.channels -= set(result)
        else:
            result = "ok"
        client.say(id=frame["id"], result=result)


def orders_for(
    port,
    *,
    host="127.0.0.1",
    dialect="deribit",
    beat_every_s=None,
    total_requests_per_s=None,
    source_addresses=(),
    channels=None,
    **changes,
):
    """Return what a master sends when a run begins."""
    described = dialect_settings.dump(dialect_settings.load_dialect(find("dialects", dialect)))
    if beat_every_s is not None:
        beat = {"every_s": beat_every_s, "send": {"id": "{id:int}", "method": "beat", "params": {}}}
        described["heartbeat"] = [beat]
    if total_requests_per_s is not None:
        described["ws"]["total_requests_per_s"] = total_requests_per_s
        described["heartbeat"] = []
    has_symbols = dialect == "deribit"
    return {
        "target": {
            "target": 1,
            "name": "small",
            "host": host,
            "port": port,
            "dialect": dialect,
            "symbols": ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL"],
            "channels": channels or (["ticker"] if has_symbols else ["updates"]),
            "rest": {"operation": "ticker"} if has_symbols else None,
            "source_addresses": source_addresses,
        },
        "dialect": described,
        "subscriptions_by_address": 2,
        **changes,
    }


def stage_of(
    *,
    subscriptions=2,
    requests_per_s=0.0,
    connects_per_s=1000.0,
    churn_per_s=0.0,
    index=0,
    phase="ramp",
    hold_s=0.0,
):
    """Return a stage as the master sends it."""
    return {
        "index": index,
        "phase": phase,
        "subscriptions_per_connection": subscriptions,
        "requests_per_s": requests_per_s,
        "connects_per_s": connects_per_s,
        "churn_per_s": churn_per_s,
        "hold_s": hold_s,
    }


def wait_until(condition):
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.005)


def channel_of(symbol):
    return f"ticker.{symbol}-PERPETUAL.100ms"


BTC, ETH, SOL = (channel_of(symbol) for symbol in ("BTC", "ETH", "SOL"))
