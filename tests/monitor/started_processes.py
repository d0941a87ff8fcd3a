"""What tests of the agent start: processes with planted use, and the agent itself."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests


class Child:
    """A Python process that runs a few lines, says what it did, and obeys further lines."""

    _LOOP = "import sys\nprint('ready', flush=True)\nfor line in sys.stdin:\n    exec(line)\n    print('done', flush=True)\n"

    def __init__(self, prepare: str, prefix: list[str]) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-ISc", f"{prepare}\n{self._LOOP}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = self._until("ready")

    @property
    def pid(self) -> int:
        return self.process.pid

    def do(self, line: str) -> list[str]:
        """Run one line in the child and return what it printed."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self._until("done")

    def _until(self, end: str) -> list[str]:
        lines = []
        while (line := self.process.stdout.readline()).strip() != end:
            assert line, "the child ended"
            lines.append(line.strip())
        return lines

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Program(Child):
    """A program of another runtime that obeys lines in the same way."""

    def __init__(self, command: list[str], variables: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )
        self.said = self._until("ready")


class Certificate:
    """A certificate for the loopback that signs itself, and its key."""

    def __init__(self, folder: Path) -> None:
        self.file, self.key = folder / "certificate.pem", folder / "key.pem"
        line = (
            f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
            f" -keyout {self.key} -out {self.file} -subj /CN=localhost"
            " -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
        )
        subprocess.run(line.split(), check=True, capture_output=True)


class Agent:
    """The agent as its users start it: a process of its own, asked over HTTP."""

    def __init__(self, arguments: tuple[object, ...], command: tuple[str, ...]) -> None:
        self.process = subprocess.Popen(
            [*command, *map(str, arguments), "--listen", "0"], stderr=subprocess.PIPE, text=True
        )
        self.greeting = self.process.stderr.readline()
        assert "agent ready on http" in self.greeting, self.greeting + self.process.stderr.read()
        self.url = self.greeting.split()[-1]

    def ask(self, path: str, token: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.url}{path}", headers=headers, timeout=5)

    def samples(self, since: int = 0) -> list[dict]:
        return [
            json.loads(line) for line in self.ask(f"/v1/samples?since={since}").text.splitlines()
        ]

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stderr.close()
        return code
