"""Configurations below a made-up root, and real servers that are filled until they refuse."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capacity.domain.resources import AuditEntry, Limit, LimitState, Resource
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.sock_diag import SocketTable
from capacity.monitor.host.target import Target
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.limits.applications.config_files import Files
from capacity.monitor.limits.applications.entries import unclear
from capacity.monitor.limits.applications.process import Process, names_of
from capacity.monitor.limits.applications.registry import READERS, program_of
from capacity.monitor.readings import READ_ERRORS

PID = 7
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


class Made:
    """A process of which only /proc and its files exist."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.proc = folder / "proc"
        (self.proc / str(PID)).mkdir(parents=True)
        self.root.mkdir()
        self.environ = {}
        self.open_files = 4096

    def write(self, path: str, text: str) -> Path:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def process(self, *words: str, started_at: float = 1e12, **known: object) -> Process:
        folder = self.proc / str(PID)
        (folder / "cmdline").write_text("\0".join(words) + "\0")
        pairs = [f"{name}={value}" for name, value in self.environ.items()]
        (folder / "environ").write_text("\0".join(pairs))
        (folder / "limits").write_text(
            "Limit Soft Limit Hard Limit Units\n"
            f"Max open files            {self.open_files}        {self.open_files}       files\n"
        )
        (self.proc / "meminfo").write_text("MemTotal:       10000000 kB\n")
        names, _ = names_of(PID, str(self.proc))
        return Process(
            pid=PID,
            names=names,
            words=words,
            files=Files(str(self.root), "/srv"),
            started_at=started_at,
            proc=str(self.proc),
            **known,
        )

    def entries(self, *words: str, **known: object) -> list[AuditEntry]:
        """Return what the reader of the program says, what it raises as an entry."""
        process = self.process(*words, **known)
        found = []
        try:
            found.extend(READERS[program_of(process.names)](process))
        except READ_ERRORS as error:
            found.append(unclear("unread", error, "?"))
        return found

    def caps(self, *words: str, **known: object) -> list[tuple[float, tuple[int, ...]]]:
        """Return value and ports of every known cap."""
        return [
            (entry.value, entry.ports)
            for entry in self.entries(*words, **known)
            if entry.resource is Resource.APPLICATION_CONNECTIONS
            and entry.state is LimitState.KNOWN
        ]

    def unknown(self, *words: str, **known: object) -> AuditEntry:
        """Return the one entry that is unknown."""
        entries = self.entries(*words, **known)
        (entry,) = [each for each in entries if each.state is LimitState.UNKNOWN]
        return entry


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


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


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*command: object, port: int, **options: object) -> Server:
        program = shutil.which(str(command[0]), path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if program is None:
            pytest.skip(f"{command[0]} is not installed")
        words = [program, *map(str, command[1:])]
        servers.append(Server(words, port, tmp_path, **options))
        servers[-1].wait()
        return servers[-1]

    yield start
    for server in reversed(servers):
        server.stop()


@pytest.fixture
def free_port() -> Callable[[], int]:
    def find() -> int:
        while True:
            port = random.SystemRandom().randrange(20_000, 32_768)
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return port

    return find


@pytest.fixture
def backend() -> Iterator[int]:
    """Run a server that answers 101 to whoever asks, and holds the connection; return its port."""
    process = subprocess.Popen([sys.executable, "-ISc", BACKEND], stdout=subprocess.PIPE, text=True)
    yield int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def fill() -> Callable[..., int]:
    """Open clients one by one until *refusals* in a row are not served; return how many are."""

    def count(
        port: int,
        *,
        ask: bytes = UPGRADE,
        answer: bytes = b" 101 ",
        most: int = 600,
        patience_s: float = ANSWER_S,
        refusals: int = 2,
    ) -> int:
        served = refused = 0
        deadline_s = time.monotonic() + START_S
        with contextlib.ExitStack() as stack:
            while refused < refusals and served < most:
                client = stack.enter_context(socket.socket())
                client.settimeout(patience_s if served else 10.0)
                if _is_served(client, port, ask, answer):
                    served, refused = served + 1, 0
                elif not served and time.monotonic() < deadline_s:
                    client.close()  # Servers listen before they serve.
                    time.sleep(0.1)
                else:
                    refused += 1
        return served

    return count


def _is_served(client: socket.socket, port: int, ask: bytes, answer: bytes) -> bool:
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


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that servers may enter which are not the superuser's."""
    with tempfile.TemporaryDirectory(prefix="capacity-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.fixture
def start_postgresql(
    start_server: Callable[..., Server], free_port: Callable[[], int], open_folder: Path
) -> Callable[[str], Server]:
    """Start a PostgreSQL with a role `plain` that is no superuser; skip where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found or os.geteuid() != 0:
        pytest.skip("PostgreSQL is not installed, or its user cannot be become")
    bin_folder = found[-1].parent

    def start(settings: str) -> Server:
        data, port = open_folder / "pg", free_port()
        make = [bin_folder / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-N"]
        subprocess.run(make, check=True, capture_output=True, user="postgres", cwd="/")
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"fsync = off\nlisten_addresses = '127.0.0.1'\nport = {port}\n")
            file.write(f"unix_socket_directories = '{open_folder}'\n{settings}")
        role = b"CREATE ROLE plain LOGIN;"
        alone = [bin_folder / "postgres", "--single", "-D", data, "postgres"]
        subprocess.run(alone, check=True, capture_output=True, user="postgres", cwd="/", input=role)
        return start_server(bin_folder / "postgres", "-D", data, port=port, user="postgres")

    return start


@pytest.fixture
def log_in() -> Callable[[str], bytes]:
    """Return the first message of a client of PostgreSQL's protocol, version 3."""

    def message(user: str) -> bytes:
        body = (3 << 16).to_bytes(4, "big") + f"user\0{user}\0database\0postgres\0\0".encode()
        return (len(body) + 4).to_bytes(4, "big") + body

    return message


@pytest.fixture
def make() -> Callable[[Path], Made]:
    return Made
