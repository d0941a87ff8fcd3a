"""Open file descriptors: one per connection, and the limit most often met first.

The process nearest to its own limit counts; a sum over the tree would hide the one that is about
to run out. Since Linux 6.2 the size of the directory /proc/PID/fd is their number: exact, in
microseconds, and readable for everybody; listing it is neither.
"""

import math
import os
from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.limits.rlimits import soft_open_files
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import READ_ERRORS, Reading
from capacity.monitor.target import TargetView


def kernel_counts_descriptors(proc: str = "/proc") -> bool:
    """Return whether the directory's size is the count, by trying it on this process."""
    path = f"{proc}/self/fd"
    # Listing takes one descriptor itself.
    return os.stat(path).st_size == len(os.listdir(path)) - 1  # noqa: PTH116, PTH208 - one idiom with the hot path below


class DescriptorsCollector(TargetCollector):
    provides = (Resource.DESCRIPTORS,)

    def __init__(self) -> None:
        self._is_counted = kernel_counts_descriptors()
        self._limits: dict[int, Limit] = {}

    def limits(self, target: TargetView) -> Iterable[Limit]:  # noqa: ARG002 - read with the usage
        """Forget the limits read so far: each process's is read again with its next usage."""
        self._limits = {}
        return ()

    def collect(self, target: TargetView) -> Reading:
        counts: dict[int, int] = {}
        trouble: OSError | None = None
        for pid in target.stats:
            try:
                counts[pid] = self._open_descriptors(pid, target.proc)
            except OSError as error:
                trouble = error
        if not counts:
            raise trouble or ValueError("the target has no process")
        for pid in counts:
            if pid not in self._limits:
                self._limits[pid] = _limit(pid, target.proc)
        fullest = max(counts, key=lambda pid: (counts[pid] / self._room(pid), counts[pid]))
        return Reading(
            used={Resource.DESCRIPTORS: float(counts[fullest])},
            limits=(self._limits[fullest],),
        )

    def _room(self, pid: int) -> float:
        return self._limits[pid].value or math.inf

    def _open_descriptors(self, pid: int, proc: str) -> int:
        path = f"{proc}/{pid}/fd"
        if self._is_counted:
            return os.stat(path).st_size  # noqa: PTH116 - every second, for every process
        return len(os.listdir(path))  # noqa: PTH208 - likewise


def _limit(pid: int, proc: str) -> Limit:
    source = f"{proc}/{pid}/limits: Max open files (soft)"
    try:
        soft = soft_open_files(pid, proc)
    except READ_ERRORS as error:
        return unknown(Resource.DESCRIPTORS, "process", source, error)
    if soft is None:
        return unlimited(Resource.DESCRIPTORS, "process", source)
    return known(Resource.DESCRIPTORS, soft, "process", source)
