"""Address space and data segment of one process, against RLIMIT_AS and RLIMIT_DATA (setrlimit(2)).

Each process has the whole limit for itself; the one nearest to it speaks for all. Beyond either of
them mmap(2) fails, however much memory is free: no thread starts then, and no buffer grows. VmSize
counts what is mapped, used or not; VmData what is private and writable of it without the main
stack, which RLIMIT_DATA has counted since Linux 4.7. The stack of a thread is in both, whole.

VmSize is in the stat that is read for every sample; VmData costs another file, so that it is read of the
processes only that are limited, and of so many of them.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.rlimits import read_rlimits, read_status, soft_limit, status_word
from capacity.monitor.limits.states import known, unlimited
from capacity.monitor.readings import READ_ERRORS, Reading, of_each, reason_of

MOST_READ = 16
"""Of how many processes the data segment is read for one sample: those with most address space."""
_LINES = {
    Resource.ADDRESS_SPACE: "Max address space",
    Resource.DATA_SEGMENT: "Max data size",
}


class AddressSpaceCollector(TargetCollector):
    provides = (Resource.ADDRESS_SPACE, Resource.DATA_SEGMENT)
    tells_limits_with_usage = True

    def __init__(self) -> None:
        self._limits: dict[int, dict[Resource, int | None]] = {}

    def limits(self, target: TargetView) -> Iterable[Limit]:  # noqa: ARG002 - read with the usage
        """Forget the limits read so far: each process's is read again with its next usage."""
        self._limits = {}
        return ()

    def collect(self, target: TargetView) -> Reading:
        read = of_each(target.stats, lambda pid: self._limits_of(pid, target.proc))
        spaces = {pid: target.stats[pid].virtual_bytes for pid in read}
        fullest = self._nearest(Resource.ADDRESS_SPACE, spaces)
        used = {Resource.ADDRESS_SPACE: float(spaces[fullest])}
        limits = [self._limit(Resource.ADDRESS_SPACE, fullest, target.proc)]
        missing: dict[str, str] = {}
        try:
            segments = self._data_segments(spaces, target.proc)
        except READ_ERRORS as error:
            missing[Resource.DATA_SEGMENT] = reason_of(error)
        else:
            fullest = self._nearest(Resource.DATA_SEGMENT, segments)
            used[Resource.DATA_SEGMENT] = float(segments[fullest])
            limits.append(self._limit(Resource.DATA_SEGMENT, fullest, target.proc))
        return Reading(used=used, missing=missing, limits=tuple(limits))

    def _data_segments(self, spaces: dict[int, int], proc: str) -> dict[int, int]:
        """Return VmData of the processes that may be nearest to a limit on it."""
        limited = [pid for pid in spaces if self._limits[pid][Resource.DATA_SEGMENT] is not None]
        largest = sorted(limited or spaces, key=spaces.__getitem__, reverse=True)
        return of_each(
            largest[: MOST_READ if limited else 1],
            lambda pid: int(status_word(read_status(pid, proc), "VmData")) * 1024,
        )

    def _limits_of(self, pid: int, proc: str) -> dict[Resource, int | None]:
        if pid not in self._limits:
            self._limits[pid] = _limits(pid, proc)
        return self._limits[pid]

    def _nearest(self, resource: Resource, used: dict[int, int]) -> int:
        """Return the process that is nearest to its limit; the largest where none is limited."""

        def share(pid: int) -> tuple[float, int]:
            limit = self._limits[pid][resource]
            return (0.0 if limit is None else used[pid] / max(limit, 1)), used[pid]

        return max(used, key=share)

    def _limit(self, resource: Resource, pid: int, proc: str) -> Limit:
        source = f"{proc}/{pid}/limits: {_LINES[resource]} (soft)"
        value = self._limits[pid][resource]
        if value is None:
            return unlimited(resource, "process", source)
        return known(resource, value, "process", source)


def _limits(pid: int, proc: str) -> dict[Resource, int | None]:
    found, path = read_rlimits(pid, proc), f"{proc}/{pid}/limits"
    return {resource: soft_limit(found, line, path) for resource, line in _LINES.items()}
