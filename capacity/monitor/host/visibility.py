"""Whether /proc shows other users' processes: a mount option hides them (proc(5): hidepid).

What is hidden looks exactly like what is not there. Only a signal tells: the kernel answers a
forbidden one otherwise than one to nobody.
"""

import os

from capacity.monitor.host.procfs import read_text

_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of the kernel, the same on every host."""
REMEDY = (
    "/proc hides other users' processes here (hidepid): run the agent as the target's user, "
    "in the group that the mount option gid= names, or as root"
)


def is_hidden(pid: int) -> bool:
    """Return whether there is a process *pid* that /proc does not show us."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return not os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - what it leads to is no matter
    except (ProcessLookupError, OverflowError):
        pass
    return False


def hint(proc: str = "/proc") -> str:
    """Return what to add to "nothing found"; empty where /proc shows everything to us."""
    return f"; {REMEDY}" if hides_processes(proc) and not is_visible(1) else ""


def is_visible(pid: int, proc: str = "/proc") -> bool:
    return os.path.exists(f"{proc}/{pid}")  # noqa: PTH110 - as above


def hides_processes(proc: str = "/proc") -> bool:
    """Return whether the mount of *proc* has hidepid, as a number or as a word."""
    try:
        lines = read_text(f"{proc}/self/mountinfo").splitlines()
    except OSError:
        return False
    options: list[str] = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) > 5 and len(kind) > 2 and fields[4] == "/proc":
            options = [*fields[5].split(","), *kind[2].split(",")]  # The last mount counts.
    values = {option.partition("=")[2] for option in options if option.startswith("hidepid=")}
    return bool(values - {"0", "off"})


def sees_one_container(proc: str = "/proc") -> bool:
    """Return whether the processes that we see are those of a container, and not the host's."""
    try:
        return os.readlink(f"{proc}/self/ns/pid") != _FIRST_PID_NAMESPACE  # noqa: PTH115 - as in discovery
    except OSError:
        return False  # A kernel without namespaces has one only.
