"""One server that nobody here wrote: started, published into, asked for its own count."""

import contextlib
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from environments import free_port
from our_client import Place


class Server(ABC):
    """One server, running in a folder of its own until its stack ends."""

    dialects: ClassVar[tuple[str, ...]]
    is_quick: ClassVar[bool] = True
    """Starts within a second or two."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        """Start it. Raises UnavailableError."""
        self.stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.count = 0
        self.version = ""
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it serves."""

    @abstractmethod
    def publish(self, numbers: range) -> None:
        """Publish an update with each of *numbers*, and wait until the server has them."""

    @abstractmethod
    def own_count(self, dialect: str) -> int:
        """Return how many updates it sent to subscribers since it was started, as it counts itself."""

    def place(self, dialect: str) -> Place:
        return Place(dialect=dialect, port=self.port)

    def settle(self, subscribers: int) -> None:  # noqa: B027 - most confirm what is followed
        """Wait until the server knows of that many, where a dialect is told nothing of it."""

    def run(self, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        log = self.stack.enter_context((self.folder / "log").open("ab"))
        process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env
        )
        self.stack.callback(_stop, process)
        return process

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
