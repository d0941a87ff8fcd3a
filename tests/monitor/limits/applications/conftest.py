"""Configurations below a made-up root, and real servers that are filled until they refuse."""

import contextlib
import os
import random
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
Made = runpy.run_path(str(HERE / "made_process.py"))["Made"]
REAL = runpy.run_path(str(HERE / "real_server.py"))
Server, BACKEND = REAL["Server"], REAL["BACKEND"]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


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
    return REAL["filled"]


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
