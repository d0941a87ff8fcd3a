"""What one collector brings home from one beat, and how absence is put into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import MemoryReading

READ_ERRORS = (OSError, psutil.Error, ValueError)
"""All that reading and parsing /proc may raise: absent, forbidden, gone, not as documented."""


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
