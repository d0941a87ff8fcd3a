"""Real programs of ours on loopback, each ended by whoever started it."""

import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A process of ours that listens on loopback."""

    process: subprocess.Popen
    host: str
    port: int

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"


@contextmanager
def running(*arguments):
    """Run a Python program that says `... ready on http://HOST:PORT` on stderr."""
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            ready = process.stderr.readline()
            match = re.search(r"ready on https?://([\d.]+):(\d+)", ready)
            assert match, ready + process.stderr.read()
            yield Server(process=process, host=match[1], port=int(match[2]))
        finally:
            process.kill()


def called(folder, *arguments):
    """Run a command of ours in *folder* to its good end; return what it printed."""
    finished = subprocess.run(
        [sys.executable, "-m", "capacity.cli.main", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    return finished.stdout
