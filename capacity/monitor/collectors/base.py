"""What a collector is: one file that reads one thing, its use and its limit.

A collector raises READ_ERRORS when it has nothing at all; the sampler then reports everything it
`provides` as missing, with the reason, and goes on with the next.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from capacity.domain.resources import Limit
from capacity.monitor.host.target import TargetView
from capacity.monitor.readings import Reading


class HostCollector(ABC):
    """Reads the host, whether or not the target is there."""

    provides: ClassVar[tuple[str, ...]]
    """Names of resources, gauges and counters."""

    @abstractmethod
    def collect(self) -> Reading: ...

    def limits(self) -> Iterable[Limit]:
        """Return the limits that hold now; asked for every half minute."""
        return ()


class TargetCollector(ABC):
    """Reads the target's processes, or what its namespace and cgroups say."""

    provides: ClassVar[tuple[str, ...]]
    tells_limits_with_usage: ClassVar[bool] = False
    """Which process or cgroup is nearest to its limit can change; a reading between two others harms none."""

    @abstractmethod
    def collect(self, target: TargetView) -> Reading: ...

    def limits(self, target: TargetView) -> Iterable[Limit]:  # noqa: ARG002 - for those that need it
        """Return the limits that hold now; asked for every half minute and after a restart."""
        return ()
