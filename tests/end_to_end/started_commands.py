"""Commands of ours in processes of their own, and what came of them."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import yaml

CAPACITY = [sys.executable, "-m", "capacity.cli.main"]
GONE_WITHIN_S = 15.0
PATIENCE_S = 90.0
"""For a command to do what it has to do before it ends, on a busy machine."""
TARGET = {
    "target": 1,
    "name": "here",
    "host": "127.0.0.1",
    "port": 1,
    "dialect": "deribit",
    "symbols": ["BTC-PERPETUAL", "ETH-PERPETUAL"],
    "channels": ["ticker"],
    "rest": {"operation": "ticker"},
}
PROFILE = {
    "profile": 1,
    "name": "short",
    "kind": "ramp",
    "levels": [20, 40],
    "connects_per_s": 100,
    "settle_s": 0.2,
    "plateau_s": 1,
    "ramp_timeout_s": 3,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.05},
}
SAFE = {key: value for key, value in PROFILE.items() if key != "levels"} | {
    "kind": "safe",
    "levels": 2,
}


@dataclasses.dataclass
class Started:
    """A command of ours and, by a mark in their environment, every process that came of it."""

    process: subprocess.Popen
    mark: str
    out: Path
    err: Path

    def wait(self, timeout_s=PATIENCE_S):
        return self.process.wait(timeout_s)

    @property
    def said(self):
        return self.err.read_text(encoding="utf-8")

    @property
    def pids(self):
        return [pid for pid in numeric_names("/proc") if self._is_ours(pid)]

    def pid_of(self, *words):
        """Return the process with all *words* on its command line that was started first."""
        ours = (pid for pid in self.pids if all(word in command_line(pid) for word in words))
        return min(ours, key=started_ticks)  # Not the lowest: numbers begin anew.

    def wait_until_gone(self):
        deadline_s = time.monotonic() + GONE_WITHIN_S
        while self.pids and time.monotonic() < deadline_s:
            time.sleep(0.1)
        return [command_line(pid) for pid in self.pids]

    def _is_ours(self, pid):
        with contextlib.suppress(OSError):
            is_ours = self.mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
            return is_ours and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
        return False


def numeric_names(folder):
    return [int(path.name) for path in Path(folder).iterdir() if path.name.isdecimal()]


def started_ticks(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def command_line(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@pytest.fixture(name="start", scope="module")
def fixture_start(tmp_path_factory):
    """Start a command in a folder of its own; whatever is left of it at the end is killed."""
    started = []

    def start(*arguments, cwd=None, **options):
        mark = uuid.uuid4().hex
        folder = tmp_path_factory.mktemp("command")
        out, err = folder / "out", folder / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [*CAPACITY, *map(str, arguments)],
                cwd=cwd or folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, "CAPACITY_TEST_MARK": mark},
                **options,
            )
        started.append(Started(process, mark, out, err))
        return started[-1]

    yield start
    for command in started:
        for pid in command.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        command.process.wait()


def ready(command, word):
    """Return the address that a server says it is ready on."""
    eventually(lambda: f"{word} ready on " in command.said, "the server is ready")
    return command.said.split(f"{word} ready on ")[1].split()[0]


def eventually(is_so, what, timeout_s=60.0):
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(0.05)


def written(path, settings):
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return path


def started_target(start):
    """Start an exchange with its agent; return both and the target's settings."""
    exchange = start("exchange", "--port", "0", "--descriptor-limit", "400")
    address = ready(exchange, "exchange")
    agent = start("agent", "--pid", exchange.process.pid, "--listen", "0")
    settings = TARGET | {
        "port": int(address.rpartition(":")[2]),
        "agent": {"url": ready(agent, "agent")},
    }
    return exchange, agent, settings


@pytest.fixture(name="target_settings", scope="module")
def fixture_target_settings(start):
    """The settings of a target that lives through all tests that do it no harm."""
    return started_target(start)[2]
