"""Servers made of a library of others by a few lines: programs/ has those."""

import contextlib
import http.client
import json
import os
from pathlib import Path

from environments import listens, node_modules, program, until, version_of, virtual_environment
from our_client import Place
from server import Server

PROGRAMS = Path(__file__).with_name("programs")


class Spoken(Server):
    """A server made of a library, which publishes when it is told to and counts what it sends."""

    def publish(self, numbers: range) -> None:
        self._ask(f"/publish?from={numbers.start}&to={numbers.stop}")

    def own_count(self, dialect: str) -> int:
        return int(self._ask("/count"))

    def _ask(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read()


class SocketIo(Spoken):
    dialects = ("socket-io",)

    def start(self) -> None:
        python = virtual_environment(
            "python-socketio", "python-socketio==5.18.1", "uvicorn==0.54.0", "websockets"
        )
        self.version = version_of(python, "python-socketio")
        self.run(str(python), str(PROGRAMS / "socket_io.py"), str(self.port))
        until(lambda: listens(self.port), "python-socketio did not listen")


class GraphQl(Spoken):
    dialects = ("graphql",)

    def place(self, dialect: str) -> Place:
        return Place(dialect=dialect, port=self.port, channel="ticks")

    def settle(self, subscribers: int) -> None:
        until(lambda: int(self._ask("/followers")) == subscribers, "nobody followed")

    def start(self) -> None:
        place = node_modules("graphql-ws", "graphql-ws@6", "graphql@16", "ws@8")
        manifest = place / "node_modules" / "graphql-ws" / "package.json"
        self.version = json.loads(manifest.read_text("utf-8"))["version"]
        environ = {**os.environ, "NODE_PATH": str(place / "node_modules")}
        self.run(program("node"), str(PROGRAMS / "graphql_ws.cjs"), str(self.port), env=environ)
        until(lambda: listens(self.port), "graphql-ws did not listen")


class SignalR(Spoken):
    """aiosignalr, which is tested against Microsoft's client by who made it."""

    dialects = ("signalr",)

    def start(self) -> None:
        python = virtual_environment("aiosignalr", "aiosignalr==0.1.1")
        self.version = version_of(python, "aiosignalr")
        self.run(str(python), str(PROGRAMS / "signalr_hub.py"), str(self.port))
        until(lambda: listens(self.port), "aiosignalr did not listen")
