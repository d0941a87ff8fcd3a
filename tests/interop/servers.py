"""Servers nobody here wrote: how each is started, published into, and what it counts itself.

Each publishes a number of updates by the server's own means while our clients follow them.
"""

import contextlib
import http.client
import json
import os
import pwd
import re
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from environments import (
    UnavailableError,
    free_port,
    listens,
    node_modules,
    program,
    until,
    version_of,
    virtual_environment,
)
from ours import Place, update

PROGRAMS = Path(__file__).with_name("programs")


class Server(ABC):
    """One server, running in a folder of its own until its stack ends."""

    dialects: ClassVar[tuple[str, ...]]
    is_quick: ClassVar[bool] = True
    """Starts within a second or two."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        """Start it. Raises UnavailableError."""
        self.stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.count = 0
        self.version = ""
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it serves."""

    @abstractmethod
    def publish(self, numbers: range) -> None:
        """Publish an update with each of *numbers*, and wait until the server has them."""

    @abstractmethod
    def own_count(self, dialect: str) -> int:
        """Return how many updates it sent to subscribers since it was started, as it counts itself."""

    def place(self, dialect: str) -> Place:
        return Place(dialect=dialect, port=self.port)

    def settle(self, subscribers: int) -> None:  # noqa: B027 - most confirm what is followed
        """Wait until the server knows of that many, where a dialect is told nothing of it."""

    def run(self, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        log = self.stack.enter_context((self.folder / "log").open("ab"))
        process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env
        )
        self.stack.callback(_stop, process)
        return process

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Nchan(Server):
    dialects = ("url-subscribe", "event-stream", "long-poll")

    def start(self) -> None:
        nginx = program("nginx")
        module = next(Path("/usr/lib/nginx/modules").glob("ngx_nchan_module.so"), None)
        if module is None:
            raise UnavailableError("nginx has no nchan module")
        user = f"user {pwd.getpwuid(0).pw_name} root;" if os.geteuid() == 0 else ""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        (self.folder / "nginx.conf").write_text(
            f"""load_module {module}; daemon off; {user} pid {self.folder}/pid; error_log stderr;
            events {{}} http {{ log_format told '$status $http_accept'; access_log {self.folder}/access told;
            {paths} server {{ listen 127.0.0.1:{self.port};
            nchan_subscriber_first_message newest; nchan_message_buffer_length 1000;
            location = /status {{ nchan_stub_status; }}
            location ~ ^/sub/(.+)$ {{ nchan_subscriber; nchan_channel_id $1; }}
            location ~ ^/pub/(.+)$ {{ nchan_publisher; nchan_channel_id $1; }} }} }}"""
        )
        self.run(nginx, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"))
        until(lambda: listens(self.port), "nginx did not listen")
        told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
        self.version = told.rpartition("/")[2].strip()

    def settle(self, subscribers: int) -> None:
        until(lambda: f"subscribers: {subscribers}\n" in self._asked("/status"), "nobody followed")

    def _asked(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def publish(self, numbers: range) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            for number in numbers:
                connection.request("POST", "/pub/BTC", json.dumps(update(number)))
                told = connection.getresponse().read().decode()
                # What the server says of each: "active subscribers: 5".
                self.count += int(re.findall(r"active subscribers: (\d+)", told)[0])

    def own_count(self, dialect: str) -> int:
        """Return its answers to long polls, by its access log; else whom it said it published to."""
        if dialect == "long-poll":
            return (self.folder / "access").read_text("utf-8").count("200 */*\n")
        return self.count


class Nats(Server):
    dialects = ("nats",)

    def start(self) -> None:
        nats = program("nats-server")
        self._plain, self._monitor = free_port(), free_port()
        (self.folder / "conf").write_text(
            f"""listen: 127.0.0.1:{self._plain}\nhttp: 127.0.0.1:{self._monitor}
            websocket {{ listen: "127.0.0.1:{self.port}", no_tls: true }}"""
        )
        self.run(nats, "-c", str(self.folder / "conf"))
        until(lambda: listens(self.port) and listens(self._monitor), "nats-server did not listen")
        self.version = str(self._varz()["version"])

    def publish(self, numbers: range) -> None:
        with socket.create_connection(("127.0.0.1", self._plain), timeout=10) as peer:
            lines = [b'CONNECT {"verbose":false}\r\n']
            for number in numbers:
                body = json.dumps(update(number)).encode()
                lines.append(b"PUB md.BTC %d\r\n%s\r\n" % (len(body), body))
            peer.sendall(b"".join([*lines, b"PING\r\n"]))
            told = b""
            while b"PONG" not in told:
                told += peer.recv(4096)

    def own_count(self, dialect: str) -> int:
        return int(self._varz()["out_msgs"])

    def _varz(self) -> dict[str, int]:
        connection = http.client.HTTPConnection("127.0.0.1", self._monitor, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/varz")
            told: dict[str, int] = json.loads(connection.getresponse().read())
            return told


class Mosquitto(Server):
    dialects = ("mqtt",)

    def start(self) -> None:
        mosquitto = program("mosquitto")
        self._plain = free_port()
        (self.folder / "conf").write_text(
            f"listener {self.port} 127.0.0.1\nprotocol websockets\nlistener {self._plain} 127.0.0.1\n"
            "allow_anonymous true\nlog_type all\nlog_dest stderr\nmax_queued_messages 0\n"
        )
        self.run(mosquitto, "-c", str(self.folder / "conf"))
        until(lambda: listens(self.port) and listens(self._plain), "mosquitto did not listen")
        self.version = re.findall(r"mosquitto version (\S+)", self.log())[0]

    def publish(self, numbers: range) -> None:
        with socket.create_connection(("127.0.0.1", self._plain), timeout=10) as peer:
            peer.sendall(b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0")
            peer.recv(4)
            for number in numbers:
                body = b"\0\x06md/BTC" + json.dumps(update(number)).encode()
                peer.sendall(b"\x30" + bytes((len(body),)) + body)
            peer.sendall(b"\xc0\0")
            while peer.recv(16) != b"\xd0\0":
                pass

    def own_count(self, dialect: str) -> int:
        """Return what it wrote into its log."""
        return len(re.findall(r"Sending PUBLISH to \S+ \(.*'md/BTC'", self.log()))


class RabbitMq(Server):
    """Erlang's virtual machine, that is BEAM, with STOMP and MQTT over WebSocket."""

    dialects = ("stomp", "mqtt")
    is_quick = False

    def start(self) -> None:
        script = "/usr/lib/rabbitmq/bin/rabbitmq-server"
        if not Path(script).exists():
            raise UnavailableError("rabbitmq-server is not installed")
        mapper, self._stomp, self._mqtt = free_port(), free_port(), free_port()
        plugins = "rabbitmq_web_stomp,rabbitmq_web_mqtt"
        (self.folder / "rabbit.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{free_port()}\nstomp.listeners.tcp.1 = 127.0.0.1:{self._stomp}\n"
            f"mqtt.listeners.tcp.1 = 127.0.0.1:{free_port()}\nmqtt.exchange = amq.topic\n"
            f"web_stomp.tcp.ip = 127.0.0.1\nweb_stomp.tcp.port = {self.port}\n"
            f"web_mqtt.tcp.ip = 127.0.0.1\nweb_mqtt.tcp.port = {self._mqtt}\nweb_mqtt.ws_path = /mqtt\n"
            "web_stomp.ws_path = /ws\ndefault_user = guest\ndefault_pass = guest\n"
            "stomp.default_user = guest\nstomp.default_pass = guest\nstomp.implicit_connect = true\n"
        )
        (self.folder / "plugins").write_text(f"[{plugins}].")
        node = f"interop{self.port}@localhost"
        self._environ = {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": node,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbit"),
            "RABBITMQ_MNESIA_BASE": str(self.folder),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_DIST_PORT": str(free_port()),
        }
        self.run(program("epmd"), "-port", str(mapper), "-address", "127.0.0.1")
        self.run("sh", script, env=self._environ)
        until(lambda: listens(self.port) and listens(self._mqtt), "RabbitMQ did not listen", 120.0)
        self.version = self._told("rabbit_misc:version().").strip('"')

    def place(self, dialect: str) -> Place:
        return Place(dialect=dialect, port=self._mqtt if dialect == "mqtt" else self.port)

    def publish(self, numbers: range) -> None:
        with socket.create_connection(("127.0.0.1", self._stomp), timeout=10) as peer:
            peer.sendall(b"CONNECT\naccept-version:1.2\nhost:/\n\n\0")
            _until_answered(peer, b"CONNECTED")
            for number in numbers:
                body = json.dumps(update(number))
                # Both dialects follow it: MQTT's md/BTC is the exchange's md.BTC.
                for topic in ("BTC", "md.BTC"):
                    frame = f"SEND\ndestination:/topic/{topic}\nreceipt:{number}\n\n{body}\0"
                    peer.sendall(frame.encode())
                    _until_answered(peer, b"RECEIPT")

    def own_count(self, dialect: str) -> int:
        told = self._told("rabbit_global_counters:overview().")
        delivered = re.findall(r"messages_delivered_total\s*=>\s*(\d+)", told)
        return sum(int(each) for each in delivered)

    def _told(self, expression: str) -> str:
        return subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "eval", expression],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout.strip()


def _until_answered(peer: socket.socket, command: bytes) -> None:
    told = b""
    while b"\0" not in told:
        told += peer.recv(4096)
    if command not in told:
        raise UnavailableError(f"STOMP was answered {told[:80]!r}")


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


class Centrifugo(Spoken):
    dialects = ("centrifugo",)

    def start(self) -> None:
        program("centrifugo")
        raise UnavailableError("no way to start it is written down")


SERVERS: dict[str, type[Server]] = {
    "nginx with nchan": Nchan,
    "NATS": Nats,
    "mosquitto": Mosquitto,
    "RabbitMQ": RabbitMq,
    "python-socketio": SocketIo,
    "graphql-ws": GraphQl,
    "Centrifugo": Centrifugo,
}


@contextlib.contextmanager
def started(name: str) -> Iterator[Server]:
    """Start the server with that name. Raises UnavailableError."""
    with contextlib.ExitStack() as stack:
        yield SERVERS[name](stack)


def own_count_reaches(server: Server, dialect: str, count: int) -> int:
    """Return the server's own count once it is that, or when it has had time enough."""
    deadline_s = time.monotonic() + 10
    while server.own_count(dialect) < count and time.monotonic() < deadline_s:
        time.sleep(0.2)
    return server.own_count(dialect)
