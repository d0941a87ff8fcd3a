"""What collectors of one cgroup's counters have in common: they find it with the limits, and read it later."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from capacity.domain.resources import Limit
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.readings import READ_ERRORS, Reading, reason_of


class CgroupCountersCollector(TargetCollector):
    """Reads the counters of one of the target's cgroups, or of those above it."""

    controller: ClassVar[str]
    """The controller whose cgroups are looked at: memory, cpu."""
    none_there: ClassVar[str]
    """Why there is nothing to read where none of them is the one."""

    def __init__(self) -> None:
        self._group: Cgroup | None = None
        self._missing = ""

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the cgroup. The limit itself is another collector's."""
        self._group, self._missing = None, self.none_there
        try:
            self._group = self.chosen(ancestors(target.root, self.controller, target.proc))
        except READ_ERRORS as error:
            self._missing = reason_of(error)
        return ()

    def collect(self, target: TargetView) -> Reading:  # noqa: ARG002 - its cgroup is known
        if self._group is None:
            return Reading(missing=dict.fromkeys(self.provides, self._missing))
        return self.counters(self._group)

    @abstractmethod
    def chosen(self, groups: Sequence[Cgroup]) -> Cgroup | None:
        """Return the one to read of *groups*, the target's own first. Raises READ_ERRORS."""

    @abstractmethod
    def counters(self, group: Cgroup) -> Reading:
        """Return what *group* has counted. Raises READ_ERRORS."""
