"""A real nginx with the nchan module as a target: limits planted in its configuration.

What one worker keeps for itself, found by filling it until it refuses (nginx 1.22, nchan 1.3.6):

* of `worker_connections`: one for each listening socket, one for the channel to the master,
  one for nchan's pipe between workers, so 3 with one listener; a full worker resets newcomers;
* of the descriptor limit: 9 and one for each listening socket, so 10 with one listener; newcomers
  then complete TCP in the backlog and never get an answer;
* an idle keep-alive connection (a publisher's) takes a descriptor, but no share of
  `worker_connections`: nginx closes such connections when fewer than 1/16 are free.
"""

import contextlib
import http.client
import json
import os
import pwd
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

MODULES = (Path("/usr/share/nginx/modules"), Path("/usr/lib/nginx/modules"))
NCHAN = "ngx_nchan_module.so"
START_TIMEOUT_S = 30.0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes many minutes, unless it is asked for."""
    if "thorough" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("thorough") is not None]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running nginx with one worker. `/sub/<channel>`, `/pub/<channel>`, both status pages."""

    port: int
    master_pid: int
    worker_connections: int
    descriptor_limit: int | None
    """worker_rlimit_nofile; None leaves what the shell gives."""
    directory: Path

    @property
    def worker_pid(self) -> int:
        (worker,) = _children(self.master_pid)
        return worker

    def worker_descriptors(self) -> int:
        """Descriptors the worker has open now."""
        return len(list(Path(f"/proc/{self.worker_pid}/fd").iterdir()))

    def active_connections(self) -> int:
        """Count of client connections by nginx itself, the one that asks not counted."""
        return int(self._page("/status").split()[2]) - 1

    def subscribers(self) -> int:
        """Count of subscribers by nchan itself."""
        lines = dict(
            line.split(": ") for line in self._page("/nchan_status").splitlines() if ": " in line
        )
        return int(lines["subscribers"])

    def error_log(self) -> str:
        return (self.directory / "error.log").read_text()

    def _page(self, path: str) -> str:
        # HTTP/1.0, read to its end: the worker has closed this connection when the page is here.
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        return answer.decode().partition("\r\n\r\n")[2]


class Publisher(threading.Thread):
    """Publishes {"seq": n, "ts": ms} at a fixed pace over one keep-alive connection.

    A full worker closes idle connections, and may refuse the next: a message that could not be
    published is counted in `failed` and its seq is not used again, so subscribers see the gap.
    """

    def __init__(self, port: int, channel: str, interval_s: float) -> None:
        super().__init__(name="publisher", daemon=True)
        self.published = 0
        self.failed = 0
        self._path = f"/pub/{channel}"
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)

    def run(self) -> None:
        due_s = time.monotonic()
        seq = 0
        while not self._stopped.wait(max(0.0, due_s - time.monotonic())):
            seq += 1
            # nginx may have closed the idle connection meanwhile: a second, fresh one decides.
            if self._publish(seq) or self._publish(seq):
                self.published += 1
            else:
                self.failed += 1
            due_s += self._interval_s
        self._connection.close()

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _publish(self, seq: int) -> bool:
        body = json.dumps({"seq": seq, "ts": int(time.time() * 1000)})
        try:
            self._connection.request("POST", self._path, body)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False
        # 201: somebody listens; 202: nobody does.
        return answer.status in {201, 202}


@pytest.fixture
def start_nginx(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    """Start nginx with planted limits; every one started ends with the test."""
    module = next((path / NCHAN for path in MODULES if (path / NCHAN).exists()), None)
    if shutil.which("nginx") is None or module is None:
        pytest.skip(
            "nginx with its nchan module is not installed (nginx-light, libnginx-mod-nchan)"
        )
    with contextlib.ExitStack() as stack:

        def start(
            *,
            worker_connections: int = 1024,
            descriptor_limit: int | None = None,
            listeners: int = 1,
        ) -> Nginx:
            ports = _free_ports(listeners)
            directory = tmp_path / f"nginx-{ports[0]}"
            directory.mkdir()
            configuration = _configuration(
                directory, module, ports, worker_connections, descriptor_limit
            )
            (directory / "nginx.conf").write_text(configuration)
            errors = stack.enter_context((directory / "stderr").open("wb"))
            process = subprocess.Popen(
                ["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
            stack.callback(_stop, process)
            nginx = Nginx(
                port=ports[0],
                master_pid=process.pid,
                worker_connections=worker_connections,
                descriptor_limit=descriptor_limit,
                directory=directory,
            )
            _wait_until_ready(nginx, process)
            return nginx

        yield start


@pytest.fixture
def start_publisher() -> Iterator[Callable[..., Publisher]]:
    """Start publishing into a channel of an nginx; stops with the test."""
    with contextlib.ExitStack() as stack:

        def start(nginx: Nginx, *, channel: str = "prices", interval_s: float = 1.0) -> Publisher:
            publisher = Publisher(nginx.port, channel, interval_s)
            publisher.start()
            stack.callback(publisher.stop)
            return publisher

        yield start


def _configuration(
    directory: Path,
    module: Path,
    ports: list[int],
    worker_connections: int,
    descriptor_limit: int | None,
) -> str:
    # Only root may name another user; a worker of root can read a private temporary directory.
    user = f"user {pwd.getpwuid(0).pw_name} root;" if os.geteuid() == 0 else ""
    descriptors = "" if descriptor_limit is None else f"worker_rlimit_nofile {descriptor_limit};"
    listen = " ".join(f"listen 127.0.0.1:{port} backlog=1024;" for port in ports)
    temporary = " ".join(
        f"{kind}_temp_path {directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
load_module {module};
daemon off;
{user}
worker_processes 1;
{descriptors}
pid {directory}/nginx.pid;
error_log {directory}/error.log notice;
events {{ worker_connections {worker_connections}; }}
http {{
    access_log off;
    {temporary}
    server {{
        nchan_subscriber_first_message newest;
        {listen}
        location = /status {{ stub_status; }}
        location = /nchan_status {{ nchan_stub_status; }}
        location ~ ^/sub/(.+)$ {{ nchan_subscriber websocket eventsource longpoll; nchan_channel_id $1; }}
        location ~ ^/pub/(.+)$ {{ nchan_publisher; nchan_channel_id $1; }}
    }}
}}
"""


def _free_ports(count: int) -> list[int]:
    # nginx cannot listen on port 0 and tell which one it got. Those that the kernel gives to others
    # meanwhile are above these.
    ports: set[int] = set()
    while len(ports) < count:
        port = random.SystemRandom().randrange(20_000, 32_768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.add(port)
    return list(ports)


def _wait_until_ready(nginx: Nginx, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with contextlib.suppress(OSError):
            nginx.active_connections()
            return
        time.sleep(0.02)
    pytest.fail(f"nginx did not start: {(nginx.directory / 'stderr').read_text()}")


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
