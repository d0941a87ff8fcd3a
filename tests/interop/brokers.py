"""Message brokers from Debian: NATS, mosquitto, and two on Erlang's virtual machine."""

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from environments import UnavailableError, free_port, listens, program, until
from our_client import Place, update
from server import Server


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
        publish_by_mqtt(self._plain, numbers)

    def own_count(self, dialect: str) -> int:
        """Return what it wrote into its log."""
        return len(re.findall(r"Sending PUBLISH to \S+ \(.*'md/BTC'", self.log()))


def publish_by_mqtt(port: int, numbers: range, login: bytes = b"", *, pause_s: float = 0.0) -> None:
    """Publish to md/BTC on a plain port. Raises UnavailableError where the broker does not let us in."""
    flags = b"\xc2" if login else b"\x02"
    hello = b"\0\x04MQTT\x04" + flags + b"\0\x3c\0\0" + login
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        peer.sendall(b"\x10" + bytes((len(hello),)) + hello)
        welcome = peer.recv(4)
        if welcome != b"\x20\x02\0\0":
            raise UnavailableError(f"MQTT was answered {welcome.hex()}")
        for number in numbers:
            body = b"\0\x06md/BTC" + json.dumps(update(number)).encode()
            peer.sendall(b"\x30" + bytes((len(body),)) + body)
            time.sleep(pause_s)
        peer.sendall(b"\xc0\0")
        while peer.recv(16) != b"\xd0\0":
            pass


LOG_PAUSE_S = 0.03
"""Between two updates, so that ejabberd's log, which is its only count, drops no line."""


class Ejabberd(Server):
    """Erlang's virtual machine again, with MQTT over WebSocket and a login.

    Started by the words of ejabberdctl, without the su that it leaves in front.
    """

    dialects = ("mqtt",)
    is_quick = False

    def start(self) -> None:
        libraries = next(Path("/usr/lib").glob("*/ejabberd-*/ebin"), None)
        if libraries is None:
            raise UnavailableError("ejabberd is not installed")
        self._plain, mapper = free_port(), free_port()
        (self.folder / "ejabberd.yml").write_text(
            f"""
loglevel: debug
log_burst_limit_count: 1000000
hosts: [localhost]
auth_method: [anonymous]
anonymous_protocol: login_anon
allow_multiple_connections: true
listen:
  - {{port: {self.port}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {{/mqtt: mod_mqtt}}}}
  - {{port: {self._plain}, ip: "127.0.0.1", module: mod_mqtt}}
modules: {{mod_mqtt: {{access_publish: {{"#": all}}, access_subscribe: {{"#": all}}}}}}
"""
        )
        environ = {
            **os.environ,
            "HOME": str(self.folder),
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper),
            "ERL_LIBS": str(libraries.parents[1]),
        }
        self.run(program("epmd"), "-port", str(mapper), "-address", "127.0.0.1")
        place = ("-mnesia", "dir", f'"{self.folder}"')
        name = f"interop{self.port}@localhost"
        self.run("erl", "-sname", name, *place, "-s", "ejabberd", "-noinput", env=environ)
        until(lambda: listens(self.port) and listens(self._plain), "ejabberd did not listen", 120.0)
        self.version = libraries.parent.name.partition("-")[2]

    def place(self, dialect: str) -> Place:
        login = {"type": "CONNECT", "keep_alive_s": 60, "user": "u@localhost", "password": "p"}
        ack = {"where": {"type": "CONNACK"}, "ok": {"code": 0}}
        steps = [{"send": login, "answer": ack}]
        return Place(dialect=dialect, port=self.port, changes=(("opening", steps),))

    def publish(self, numbers: range) -> None:
        publish_by_mqtt(self._plain, numbers, b"\0\x0bp@localhost\0\x01p", pause_s=LOG_PAUSE_S)

    def own_count(self, dialect: str) -> int:
        """Return what it wrote into its log."""
        log = (self.folder / "ejabberd.log").read_text("utf-8", "replace")
        return len(re.findall(r"Send MQTT packet:\n#publish", log))


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
