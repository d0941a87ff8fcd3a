"""Real servers, filled until they refuse; what the agent reads of them."""

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from capacity.domain.resources import Limit, Resource
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.sock_diag import SocketTable
from capacity.monitor.host.target import Target
from capacity.monitor.limits.applications.applications import Applications

START_S, ANSWER_S = 60.0, 0.4
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: target\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
BACKEND = """
import base64, hashlib, re, selectors, socket, resource
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEAD = b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
server = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(server.getsockname()[1], flush=True)
ready = selectors.DefaultSelector()
ready.register(server, selectors.EVENT_READ)
while True:
    for key, _ in ready.select():
        if key.fileobj is server:
            ready.register(server.accept()[0], selectors.EVENT_READ)
            continue
        try:
            asked = key.fileobj.recv(4096)
        except OSError:
            asked = b""
        if b"\\r\\n\\r\\n" in asked:
            found = re.search(b"(?i)sec-websocket-key: *(\\\\S+)", asked)
            accept = base64.b64encode(hashlib.sha1((found[1] if found else b"") + MAGIC).digest())
            key.fileobj.sendall(HEAD + b"Sec-WebSocket-Accept: " + accept + b"\\r\\n\\r\\n")
        elif not asked:
            ready.unregister(key.fileobj)
            key.fileobj.close()
"""


class Server:
    """A real server, in a process group of its own."""

    def __init__(self, command: list[str], port: int, folder: Path, **options: object) -> None:
        self.port = port
        self.log = folder / f"server-{port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
                **options,
            )

    def wait(self) -> None:
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s and self.process.poll() is None:
            # Not by a connection: some servers never forget one that came to nothing.
            with contextlib.closing(SocketTable()) as table:
                if any(listener.port == self.port for listener in table.listeners()):
                    return
            time.sleep(0.05)
        pytest.fail(f"the server did not start: {self.log.read_text()[-2000:]}")

    def limits(self) -> list[Limit]:
        """Return what the agent reads of it."""
        target = Target(Selector(pid=self.process.pid))
        target.resolve()
        view = target.view()
        with contextlib.closing(TargetListeners()) as listeners:
            return Applications().limits(view, listeners.read(view))

    def cap(self) -> Limit:
        """Return the smallest limit for its port."""
        limits = [
            each
            for each in self.limits()
            if each.resource is Resource.APPLICATION_CONNECTIONS
            and (not each.ports or self.port in each.ports)
        ]
        return min(limits, key=lambda limit: limit.value or float("inf"))

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 15)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)


def filled(
    port: int,
    *,
    ask: bytes = UPGRADE,
    answer: bytes = b" 101 ",
    most: int = 600,
    patience_s: float = ANSWER_S,
    refusals: int = 2,
) -> int:
    """Open clients one by one until *refusals* in a row are not served; return how many are."""
    served = refused = 0
    deadline_s = time.monotonic() + START_S
    with contextlib.ExitStack() as stack:
        while refused < refusals and served < most:
            client = stack.enter_context(socket.socket())
            client.settimeout(patience_s if served else 10.0)
            if is_served(client, port, ask, answer):
                served, refused = served + 1, 0
            elif not served and time.monotonic() < deadline_s:
                client.close()  # Servers listen before they serve.
                time.sleep(0.1)
            else:
                refused += 1
    return served


def is_served(client: socket.socket, port: int, ask: bytes, answer: bytes) -> bool:
    try:
        client.connect(("127.0.0.1", port))
        client.sendall(ask)
        heard = b""
        while answer not in heard:
            part = client.recv(4096)
            if not part:
                return False
            heard += part
    except OSError:
        return False
    return True
