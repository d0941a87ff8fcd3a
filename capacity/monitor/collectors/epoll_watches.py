"""Descriptors registered in the target's epoll sets, against fs.epoll.max_user_watches (epoll(7)).

The kernel keeps the sum by user but tells it nobody; /proc/PID/fdinfo lists each set (proc(5)).
Listing holds the set's lock, and the target's event loop waits meanwhile: so it is paced, and not
done at all to a process with so many descriptors that the wait would be felt. Which descriptors
are epoll sets is looked up when a process is new, and paced as well.
"""

import os
from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.discovery import link_of
from capacity.monitor.host.procfs import read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.sysctls import sysctl_limit
from capacity.monitor.pace import Pace
from capacity.monitor.readings import Reading, of_each

_EVERY_S = 2.0
_COST_RATIO = 0.0005
_SEARCH_S = 30.0
_MOST_DESCRIPTORS = 10_000
"""Listing so many registrations keeps the target's event loop waiting for some milliseconds."""
_EPOLL = "anon_inode:[eventpoll]"
_INTERVAL_GAUGE = "epoll_watches_interval_s"
_TOO_MANY = (
    f"a process has more than {_MOST_DESCRIPTORS} descriptors: counting would stall its event loop"
)


class EpollWatchesCollector(TargetCollector):
    provides = (Resource.EPOLL_WATCHES, _INTERVAL_GAUGE)

    def __init__(self) -> None:
        self._pace = Pace(_EVERY_S, _COST_RATIO)
        self._search = Pace(_SEARCH_S, _COST_RATIO)
        self._sets: dict[tuple[int, int], list[str]] = {}
        """pid and start -> its epoll sets, by the number of their descriptor."""

    def collect(self, target: TargetView) -> Reading:
        if not self._pace.is_due:
            return Reading()
        with self._pace.reading():
            if _most_descriptors(target) > _MOST_DESCRIPTORS:
                return Reading(missing=dict.fromkeys(self.provides, _TOO_MANY))
            self._find_sets(target)
            watches = sum(
                _watches(f"{target.proc}/{pid}/fdinfo/{descriptor}")
                for (pid, _), descriptors in self._sets.items()
                for descriptor in descriptors
            )
        return Reading(
            used={Resource.EPOLL_WATCHES: float(watches)},
            gauges={_INTERVAL_GAUGE: self._pace.interval_s},
        )

    def limits(self, target: TargetView) -> Iterable[Limit]:
        name = "fs.epoll.max_user_watches"
        return [sysctl_limit(Resource.EPOLL_WATCHES, name, "user", target.proc)]

    def _find_sets(self, target: TargetView) -> None:
        processes = {(pid, stat.started_ticks) for pid, stat in target.stats.items()}
        if self._search.is_due or processes - self._sets.keys():
            with self._search.reading():
                self._sets = {key: _epoll_sets(key[0], target.proc) for key in processes}
        self._sets = {key: sets for key, sets in self._sets.items() if key in processes}


def _most_descriptors(target: TargetView) -> int:
    """Return how many the fullest process has; the last trouble when all have ended."""

    def count(pid: int) -> int:
        path = f"{target.proc}/{pid}/fd"
        # Before Linux 6.2 the size says nothing.
        return os.stat(path).st_size or len(os.listdir(path))  # noqa: PTH116, PTH208 - as in descriptors.py

    return max(of_each(target.stats, count, (FileNotFoundError, ProcessLookupError)).values())


def _epoll_sets(pid: int, proc: str) -> list[str]:
    try:
        names = os.listdir(f"{proc}/{pid}/fd")  # noqa: PTH208 - names are all we need
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [name for name in names if link_of(f"{proc}/{pid}/fd/{name}") == _EPOLL]


def _watches(path: str) -> int:
    try:
        return read_text(path).count("\ntfd:")
    except (FileNotFoundError, ProcessLookupError):
        return 0  # The set was closed.
