"""How Locust is started for a run: with workers of its own, or as the master of those elsewhere."""

import socket
from dataclasses import dataclass
from pathlib import Path

from capacity.domain.errors import ConfigError, PreflightError
from capacity.settings.locate import shipped

OWN_WORKERS_TIMEOUT_S = 30
FAR_WORKERS_TIMEOUT_S = 300
"""As long as a worker itself looks for its master before it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Where workers that were started on other hosts find their master."""

    address: str
    port: int


MEETING = Meeting(address="127.0.0.1", port=5557)
"""By default nobody can come: Locust's master believes whoever connects."""


def meeting_of(text: str | None) -> Meeting:
    """Return where ADDRESS or ADDRESS:PORT is. Raises ConfigError."""
    if text is None:
        return MEETING
    address, colon, port = text.partition(":")
    if not address or (colon and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise ConfigError(f"--bind {text}: is no ADDRESS or ADDRESS:PORT, such as 10.0.0.5:5557")
    return Meeting(address=address, port=int(port) if colon else MEETING.port)


def locustfiles() -> str:
    """Return the folder that Locust loads: ./locustfiles where it is one of ours, or the shipped one."""
    here = Path("locustfiles")
    return str(here if (here / "load_profile.py").is_file() else shipped("locustfiles"))


def locust_argv(
    target: Path,
    profile: Path,
    run: Path,
    workers: int,
    meeting: Meeting | None,
    *,
    resume: Path | None = None,
    users: str = "",
) -> list[str]:
    """Return Python's arguments for a headless run; without a meeting the workers are its own.

    *resume* is the run of a search to go on with, *users* names classes that take part.
    """
    return [
        *("-m", "locust", "--headless", "--only-summary", "--loglevel", "WARNING"),
        *("--locustfile", locustfiles()),
        *(_with_own(workers) if meeting is None else _with_others(workers, meeting)),
        *("--capacity-target", str(target), "--capacity-profile", str(profile)),
        *("--capacity-run", str(run)),
        *(("--capacity-users", users) if users else ()),
        *(("--capacity-resume", str(resume)) if resume is not None else ()),
    ]


def check_port(meeting: Meeting) -> None:
    """Raise PreflightError when nobody can be met there."""
    try:
        with socket.create_server((meeting.address, meeting.port)):
            pass
    except OSError as error:
        raise PreflightError(
            f"workers cannot be waited for on {meeting.address} port {meeting.port}: "
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


def _with_others(workers: int, meeting: Meeting) -> list[str]:
    return [
        *("--master", "--expect-workers", str(workers)),
        *("--master-bind-host", meeting.address, "--master-bind-port", str(meeting.port)),
        *("--expect-workers-max-wait", str(FAR_WORKERS_TIMEOUT_S)),
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
