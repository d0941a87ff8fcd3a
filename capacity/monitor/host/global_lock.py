"""Interpreters that let one thread of a process run at a time: CPython, PyPy, Ruby (MRI).

However many threads serve, they take turns and have one core between them; what the kernel does for
them goes on beside. Builds of CPython without that lock have a t at the end of their names (PEP 703).
"""

import re

from capacity.monitor.host.discovery import link_of

_LOCKED = re.compile(r"(python|pypy|ruby)(\d+(\.\d+)*)?")


def has_global_lock(pid: int, proc: str = "/proc") -> bool:
    """Tell by its program whether the threads of *pid* take turns; False where that is not shown."""
    program = link_of(f"{proc}/{pid}/exe").removesuffix(" (deleted)").rpartition("/")[2]
    return _LOCKED.fullmatch(program) is not None
