"""Programs and libraries that nobody here wrote, each in a place of its own below .interop/."""

import contextlib
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".interop"
INSTALL_S = 900.0
START_S = 60.0


class UnavailableError(Exception):
    """A server or library that cannot be had here; the message says why."""


def virtual_environment(name: str, *requirements: str) -> Path:
    """Return the Python of an environment with *requirements*, made when it is first asked for."""
    place = FOLDER / name
    mark = place / ".complete"
    python = place / "bin" / "python"
    if not mark.exists() or mark.read_text("utf-8").split() != list(requirements):
        _run(sys.executable, "-m", "venv", str(place))
        _run(
            str(python),
            *["-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
            *requirements,
        )
        mark.write_text("\n".join(requirements), "utf-8")
    return python


def node_modules(name: str, *packages: str) -> Path:
    """Return a folder in which node finds *packages*, made when it is first asked for."""
    program("npm")
    place = FOLDER / name
    mark = place / ".complete"
    if not mark.exists() or mark.read_text("utf-8").split() != list(packages):
        place.mkdir(parents=True, exist_ok=True)
        _run(
            *("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place)),
            *packages,
        )
        mark.write_text("\n".join(packages), "utf-8")
    return place


def version_of(python: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run(
        [str(python), "-c", asked], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def program(name: str) -> str:
    """Return where a program is. Raises UnavailableError."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/rabbitmq/bin")
    if found is None:
        raise UnavailableError(f"{name} is not installed")
    return found


def self_signed(file: Path) -> str:
    """Write a certificate for 127.0.0.1 and its key into *file*, and return its name."""
    asked = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    place = ("-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    _run(program("openssl"), *asked, *place, "-keyout", str(file), "-out", f"{file}.crt")
    file.write_text(file.read_text("ascii") + Path(f"{file}.crt").read_text("ascii"), "ascii")
    return str(file)


def free_port() -> int:
    """Return a port that nobody listens on, below those that the kernel gives out."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def until(is_so: Callable[[], object], what: str, patience_s: float = START_S) -> None:
    """Wait until *is_so*. Raises UnavailableError that names *what*."""
    deadline_s = time.monotonic() + patience_s
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError):
            if is_so():
                return
        time.sleep(0.05)
    raise UnavailableError(f"{what} within {patience_s:.0f} s")


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections. Raises OSError as well."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "without a word").splitlines()[-1]
        raise UnavailableError(f"{command[0]} failed: {last[:160]}")
