"""Child processes that end with us, whatever ends us."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from capacity.domain.errors import ConfigError, PreflightError
from capacity.loadgen.wire.process_limits import die_with_parent

_ENDINGS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
READY_TIMEOUT_S = 20.0
PATIENCE_S = 10.0
"""How long a child may take to leave after each request to."""


class Child:
    """One process of ours in a session of its own: a terminal's Ctrl-C reaches us, not it."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it; its output goes to *log*. Raises ConfigError when that cannot be written."""
        self.name = name
        self.log = log
        parent = os.getpid()
        with _opened(log) as output, _endings_held_back():
            self.process = subprocess.Popen(
                [sys.executable, *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
                preexec_fn=lambda: _begin(parent),  # noqa: PLW1509 - no threads run yet
            )

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait_ready(self, marker: str) -> str:
        """Return the word after *marker* in the log once it is there. Raises PreflightError."""
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline_s:
            for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
                if marker in line:
                    return line.split(marker, 1)[1].split()[0]
            if not self.is_running:
                break
            time.sleep(0.05)
        raise PreflightError(
            f"the {self.name} did not start: {self.last_words()} (log: {self.log})"
        )

    def last_words(self) -> str:
        """Return the last line of the log, for a message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].removeprefix("capacity: ") if lines else "it said nothing"

    def stop(self, first: signal.Signals = signal.SIGTERM) -> None:
        """End it and all it started: ask, ask firmly, then kill."""
        try:
            for number in (first, signal.SIGTERM, signal.SIGKILL):
                if not self.is_running:
                    break
                # To the process alone: a worker that its master does not stop ends by its own rule.
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(PATIENCE_S)
        finally:
            # Also when a second Ctrl-C ends the patience.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _endings_held_back() -> Iterator[None]:
    """Keep signals that end us until after a fork: what its hooks raise, Python swallows."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)  # Inherited over the fork.
    die_with_parent(parent)


def _opened(log: Path) -> BinaryIO:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("ab")
    except OSError as error:
        raise ConfigError(
            f"{log}: cannot be written ({error.strerror}); name another directory"
        ) from None


@contextlib.contextmanager
def running(
    name: str, argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a child for the length of a block."""
    child = Child(name, argv, log, environment)
    try:
        yield child
    finally:
        child.stop()


@contextlib.contextmanager
def terminations_unwind() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exit that runs the clean-up of every block on the way out."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # nohup
                signal.signal(number, leave)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
