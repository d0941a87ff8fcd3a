"""Limits of one process, from /proc/PID/limits (getrlimit(2)); readable without privilege."""

import re

from capacity.monitor.procfs import read_text

_OPEN_FILES = re.compile(r"^Max open files\s+(\S+)\s", re.MULTILINE)


def soft_open_files(pid: int, proc: str = "/proc") -> int | None:
    """Return the soft RLIMIT_NOFILE of *pid*; None when it is unlimited."""
    path = f"{proc}/{pid}/limits"
    found = _OPEN_FILES.search(read_text(path))
    if found is None:
        raise ValueError(f"{path} has no line 'Max open files'")
    return None if found[1] == "unlimited" else int(found[1])
