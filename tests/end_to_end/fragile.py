"""Starts fragile targets and measures them: real processes, all of them gone when a test is over."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import yaml

from capacity.recording.run_directory import load

PROGRAM = Path(__file__).with_name("fragile_target.py")
CAPACITY = [sys.executable, "-m", "capacity.cli.main"]
MEASURED_WITHIN_S = 150
GONE_WITHIN_S = 15
MARK = "CAPACITY_TEST_MARK"
DIALECT = {
    "dialect": 1,
    "name": "fragile",
    "ws": {"url": "{scheme}://{host}:{port}/", "open_timeout_s": 2},
    "channels": {"feed": {"wire": "feed.{symbol}"}},
    "subscribe": {
        "send": {"id": "{id:int}", "op": "subscribe", "channels": "{channels:list}"},
        "ack": {"where": {"id": "{id:int}"}, "ok": {"ok": True}},
    },
    "unsubscribe": {
        "send": {"id": "{id:int}", "op": "unsubscribe", "channels": "{channels:list}"},
        "ack": {"where": {"id": "{id:int}"}, "ok": {"ok": True}},
    },
    "data": {"where": {"channel": {"exists": True}}, "key": "channel"},
    "time": {"path": "ts", "unit": "ms"},
    "sequence": [{"rule": "plus_one", "seq": "seq"}],
}


def eventually(is_so, what, timeout_s=30.0):
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(0.02)


def written(path, settings):
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return path


class EndedEarlyError(Exception):
    """A run was over before the moment that was waited for; says what it said."""


class Target:
    """One fragile target, which can be started again on its port."""

    def __init__(self, arguments, prepare):
        self._arguments = [*map(str, arguments)]
        self._prepare = prepare
        self.port = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--port", str(self.port), *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=self._prepare,  # noqa: PLW1509
        )
        self.port = int(self.process.stdout.readline())

    @property
    def is_alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def die(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.die()
        self.start()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Measuring:
    """A `capacity measure` and, by a mark in their environment, all that came of it."""

    def __init__(self, folder, settings, profile, *options):
        self.run = folder / "run"
        self._log = folder / "measure.log"
        self._mark = uuid.uuid4().hex
        target = written(folder / "target.yaml", settings)
        if not isinstance(profile, str):
            profile = written(folder / "profile.yaml", profile)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(*CAPACITY, "measure", "--target", str(target), "--profile", str(profile)),
                    *("--run", str(self.run), *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, MARK: self._mark},
            )

    @property
    def said(self):
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def last_sentence(self):
        return self.said.strip().splitlines()[-1]

    def wait_for(self, index, phase):
        """Wait until *phase* of the step begins."""
        events = self.run / "events.jsonl"
        wanted = f'"index":{index},"phase":"{phase}"'

        def has_come():
            if events.exists() and wanted in events.read_text():
                return True
            if self.process.poll() is not None:
                raise EndedEarlyError(self.said)
            return False

        eventually(has_come, wanted, 90)

    def end(self):
        """Return the exit code, once nothing is left of it."""
        code = self.process.wait(MEASURED_WITHIN_S)
        deadline_s = time.monotonic() + GONE_WITHIN_S
        while self.pids() and time.monotonic() < deadline_s:
            time.sleep(0.1)

        assert self.pids() == []
        assert "Traceback" not in self.said
        return code

    def pids(self):
        return [int(path.name) for path in Path("/proc").iterdir() if self._is_ours(path)]

    def _is_ours(self, process):
        if not process.name.isdecimal():
            return False
        with contextlib.suppress(OSError):
            is_ours = f"{MARK}={self._mark}".encode() in (process / "environ").read_bytes()
            return is_ours and (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return False

    def close(self):
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    @property
    def record(self):
        return load(self.run)

    @property
    def end_event(self):
        return self.record.events[-1]

    def planned(self):
        """Return what `capacity plan` prints, its exit code, and plan.json."""
        finished = subprocess.run(
            [*CAPACITY, "plan", str(self.run)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in finished.stderr
        document = json.loads((self.run / "plan.json").read_text())
        return finished.stdout, finished.returncode, document


class Scene:
    """Everything that one test starts; gone with it."""

    def __init__(self, folder):
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._numbers = itertools.count()  # Several threads may start something.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def target(self, *arguments, prepare=None):
        target = Target(arguments, prepare)
        self._stack.callback(target.close)
        return target

    def agent(self, *arguments):
        """Start an agent; return its process and its address."""
        log = self._folder / f"agent-{next(self._numbers)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "capacity.monitor", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        ready = "agent ready on "
        eventually(lambda: ready in log.read_text(), "the agent is ready")
        return process, log.read_text().split(ready)[1].split()[0]

    def measure(self, target, profile="safe", *options, **settings):
        number = next(self._numbers)
        folder = self._folder / f"measure-{number}"
        folder.mkdir()
        dialect = written(folder / "dialect.yaml", DIALECT)
        known = {
            "target": 1,
            "name": f"fragile-{os.getpid()}-{number}",
            "host": "127.0.0.1",
            "port": target.port,
            "dialect": str(dialect),
            "symbols": ["A", "B", "C"],
            "channels": ["feed"],
            "agent": {"local": {"port": target.port}},
        }
        measuring = Measuring(folder, known | settings, profile, *options)
        self._stack.callback(measuring.close)
        return measuring

    def cgroup(self, controller, **limits):
        """Make a version 1 cgroup with limits by file name, and return it."""
        group = Path(f"/sys/fs/cgroup/{controller}/capacity-{os.getpid()}-{next(self._numbers)}")
        group.mkdir()
        self._stack.callback(_remove, group)
        for file, value in limits.items():
            (group / file.replace("__", ".")).write_text(str(value))
        return group


def _remove(group):
    """Remove a cgroup once the kernel lets go of who was in it."""
    deadline_s = time.monotonic() + 5
    while group.exists() and time.monotonic() < deadline_s:
        with contextlib.suppress(OSError):
            group.rmdir()
        time.sleep(0.05)


def why_no_cgroup(controller):
    """Return why a limit of *controller* cannot be planted here; None where it can."""
    if os.geteuid() != 0:
        return "cgroups need root"
    group = Path(f"/sys/fs/cgroup/{controller}/capacity-{os.getpid()}-try")
    try:
        group.mkdir()
    except OSError as error:
        return f"no version 1 cgroup of {controller}: {error.strerror}"
    group.rmdir()
    return None
