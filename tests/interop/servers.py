"""The servers by name, nginx with nchan among them.

Each publishes a number of updates by its own means while our clients follow them.
"""

import contextlib
import http.client
import json
import os
import pwd
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from brokers import Ejabberd, Mosquitto, Nats, RabbitMq
from environments import UnavailableError, listens, program, until
from library_servers import GraphQl, SignalR, SocketIo, Spoken
from our_client import update
from server import Server


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
    "ejabberd": Ejabberd,
    "python-socketio": SocketIo,
    "graphql-ws": GraphQl,
    "aiosignalr": SignalR,
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
