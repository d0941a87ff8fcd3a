"""What one collector found for one sample, and how absence is put into words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import MemoryReading

READ_ERRORS = (OSError, psutil.Error, ValueError)
"""All that reading and parsing /proc may raise: absent, forbidden, gone, not as documented."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Usage, gauges and counters by name; what is absent has its reason in `missing`."""

    used: Mapping[Resource, float] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    memory: MemoryReading | None = None
    limits: tuple[Limit, ...] = ()
    """Only limits that change with the usage, because another process or cgroup became fullest."""


def of_each(
    pids: Iterable[int],
    read: Callable[[int], _Value],
    errors: tuple[type[Exception], ...] = READ_ERRORS,
) -> dict[int, _Value]:
    """Return what *read* returns for each process, without those for which it raises one of *errors*.

    Some end while they are read. Where nothing is left, the last error is raised.
    """
    found: dict[int, _Value] = {}
    trouble: Exception = ProcessLookupError()
    for pid in pids:
        try:
            found[pid] = read(pid)
        except errors as error:
            trouble = error
    if not found:
        raise trouble
    return found


def reason_of(error: Exception) -> str:
    """Return why something could not be read, and what would help where something would."""
    if isinstance(error, PermissionError | psutil.AccessDenied):
        where = getattr(error, "filename", None) or "the process"
        return f"no permission to read {where}: run the agent as the target's user or as root"
    if isinstance(error, ProcessLookupError | psutil.NoSuchProcess):
        return "the process ended while it was read"
    if isinstance(error, FileNotFoundError):
        return f"{error.filename} does not exist here"
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return f"not in the documented format: {error}"
