"""A PostgreSQL of one's own: Debian's, on loopback, in a folder of its own, as a user without rights."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

START_S = 60


def program(name):
    """Return the path of PostgreSQL's *name*; Debian's are not on the path."""
    places = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))  # noqa: PTH207 - a fixed place
    return shutil.which(name) or (places[-1] if places else None)


class Postgres:
    """One server; every database is new and empty."""

    def __init__(self, folder):
        self.folder = folder
        # It refuses to run as root.
        self.user = {"user": "nobody"} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(folder, "nobody")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.databases = 0
        self.process = None
        subprocess.run(
            [program("initdb"), "--pgdata", f"{folder}/data", "--username", "capacity",
             "--auth", "trust", "--no-sync", "--no-locale", "--encoding", "UTF8"],
            check=True, capture_output=True, cwd=folder, timeout=START_S, **self.user,
        )  # fmt: skip

    def start(self):
        self.process = subprocess.Popen(
            [program("postgres"), "-D", f"{self.folder}/data", "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
             "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder, **self.user,
        )  # fmt: skip
        deadline_s = time.monotonic() + START_S
        while not self.answers():
            assert self.process.poll() is None, "PostgreSQL ended"
            assert time.monotonic() < deadline_s, "PostgreSQL does not answer"
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)  # At once: nothing of it is kept.
        self.process.wait(START_S)

    def answers(self):
        import psycopg

        try:
            psycopg.connect(self.address("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def address(self, database):
        return f"postgresql://capacity@127.0.0.1:{self.port}/{database}"

    def new_database(self):
        import psycopg

        self.databases += 1
        name = f"history_{self.databases}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)


@pytest.fixture(scope="session")
def postgres():
    pytest.importorskip(
        "psycopg", reason="psycopg is not installed: pip install capacity[postgres]"
    )
    if program("initdb") is None or program("postgres") is None:
        pytest.skip("PostgreSQL is not installed: apt install postgresql")
    # Not below pytest's own folder, which others may not enter.
    with tempfile.TemporaryDirectory(prefix="capacity-postgres-") as folder:
        server = Postgres(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """A history that is not there yet, in each database that it may be in."""
    if request.param == "sqlite":
        return str(tmp_path / "reports" / "history.sqlite")
    return request.getfixturevalue("postgres").new_database()
