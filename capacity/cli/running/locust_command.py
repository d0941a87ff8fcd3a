"""How Locust is started for a run: with workers of its own, or as the master of those elsewhere."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from capacity.domain.errors import ConfigError, PreflightError
from capacity.loadgen.run_options import as_arguments
from capacity.settings.locate import shipped

OWN_WORKERS_TIMEOUT_S = 30
FAR_WORKERS_TIMEOUT_S = 300
"""As long as a worker itself looks for its master before it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterAddress:
    """Where workers that were started on other hosts find their master."""

    address: str
    port: int


DEFAULT_ADDRESS = MasterAddress(address="127.0.0.1", port=5557)
"""By default no other host can connect: Locust's master believes whoever connects."""


def master_address(text: str | None) -> MasterAddress:
    """Return where ADDRESS or ADDRESS:PORT is. Raises ConfigError."""
    if text is None:
        return DEFAULT_ADDRESS
    address, colon, port = text.partition(":")
    if not address or (colon and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise ConfigError(f"--bind {text}: is no ADDRESS or ADDRESS:PORT, such as 10.0.0.5:5557")
    return MasterAddress(address=address, port=int(port) if colon else DEFAULT_ADDRESS.port)


def locustfiles() -> str:
    """Return the folder that Locust loads: ./locustfiles where it is one of ours, or the shipped one."""
    here = Path("locustfiles")
    return str(here if (here / "load_profile.py").is_file() else shipped("locustfiles"))


def locust_argv(
    target: Path,
    profile: Path,
    workers: int,
    master: MasterAddress | None,
    options: Mapping[str, object],
) -> list[str]:
    """Return Python's arguments for a headless run; without *master* the workers are its own.

    *options* are those of loadgen/run_options.py, by name.
    """
    return [
        *("-m", "locust", "--headless", "--only-summary", "--loglevel", "WARNING"),
        *("--locustfile", locustfiles()),
        *(_with_own(workers) if master is None else _with_others(workers, master)),
        *("--capacity-target", str(target), "--capacity-profile", str(profile)),
        *as_arguments(options),
    ]


def check_port(master: MasterAddress) -> None:
    """Raise PreflightError unless remote workers can be waited for there."""
    try:
        with socket.create_server((master.address, master.port)):
            pass
    except OSError as error:
        raise PreflightError(
            f"workers cannot be waited for on {master.address} port {master.port}: "
            f"{error.strerror}; give --bind an IPv4 address of this machine and a free port"
        ) from None


def _with_own(workers: int) -> list[str]:
    # Two runs on one machine must not share Locust's default port: workers join any master there.
    port = str(_free_port())
    return [
        *("--processes", str(workers)),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", port),
        *("--master-host", "127.0.0.1", "--master-port", port),
        *("--expect-workers-max-wait", str(OWN_WORKERS_TIMEOUT_S)),
    ]


def _with_others(workers: int, master: MasterAddress) -> list[str]:
    return [
        *("--master", "--expect-workers", str(workers)),
        *("--master-bind-host", master.address, "--master-bind-port", str(master.port)),
        *("--expect-workers-max-wait", str(FAR_WORKERS_TIMEOUT_S)),
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
