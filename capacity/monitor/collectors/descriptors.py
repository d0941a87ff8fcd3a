"""Open file descriptors: one per connection, and the limit most often met first.

One process speaks for all; a sum over the tree would hide the one that is about to run out. Of those
that fill up it is the one that is full first if it goes on as it began: an idle master with a low limit
would otherwise hide the worker that takes the connections. Processes that run the same program share
them; a relay and what stands behind it do not, as each has all of them. Which process speaks can change, so its
limit is a gauge of the same sample. Since Linux 6.2 the size of the directory /proc/PID/fd is their number: exact, in
microseconds, and readable for everybody; listing it is neither.

Who waits with select(2) cannot use what RLIMIT_NOFILE gives beyond FD_SETSIZE. A loop that is busy shows
its system call now and then only, so that what was seen once is kept.
"""

import contextlib
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence

from capacity.domain.resources import SELECT, Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.processes import command_line
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.rlimits import soft_open_files
from capacity.monitor.limits.select_sets import FD_SETSIZE, source_of, waits_with_select
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import READ_ERRORS, Reading, of_each

LIMIT_GAUGE = "fullest_process_descriptors_limit"

FILLING_GAUGE = "filling_processes"
"""How many processes of one program fill up; none before the load."""
TOGETHER_GAUGE = "filling_descriptors"
"""What these have open together."""
EXITED_COUNTER = "filled_processes_exited"
"""Processes that ended while they were filled up: what they held went with them."""

_FILLS_FROM = 5
"""Below this growth nothing fills up: some files come and go in any process."""
_FILLS_RATIO = 0.1
"""A process that grew by this share of the growth of the one that grew most fills up too."""


_NUMBER = re.compile(r"\d+")


def kernel_counts_descriptors(proc: str = "/proc") -> bool:
    """Return whether the directory's size is the count, by trying it on this process."""
    path = f"{proc}/self/fd"
    # Listing takes one descriptor itself.
    return os.stat(path).st_size == len(os.listdir(path)) - 1  # noqa: PTH116, PTH208 - one idiom with the hot path below


class DescriptorsCollector(TargetCollector):
    provides = (Resource.DESCRIPTORS, LIMIT_GAUGE, FILLING_GAUGE, TOGETHER_GAUGE, EXITED_COUNTER)
    tells_limits_with_usage = True

    def __init__(self, listeners: TargetListeners | None = None) -> None:
        self._listeners = listeners
        self._is_counted = kernel_counts_descriptors()
        self._selecting: set[tuple[int, int]] = set()
        """pid and start of each process that was seen to wait for clients with select."""
        self._limits: dict[int, Limit] = {}
        self._fewest: dict[int, int] = {}
        """What each process had open when it had least open."""
        self._programs: dict[tuple[int, int], str] = {}
        """By pid and start, as soon as it fills up."""
        self._filled: set[tuple[int, int]] = set()
        """pid and start of each process that was filled up when last looked at."""
        self._exited = 0

    def limits(self, target: TargetView) -> Iterable[Limit]:  # noqa: ARG002 - read with the usage
        """Forget the limits read so far: each process's is read again with its next usage."""
        self._limits = {}
        return ()

    def collect(self, target: TargetView) -> Reading:
        counts = of_each(
            target.stats, lambda pid: self._open_descriptors(pid, target.proc), (OSError,)
        )
        for pid in counts:
            if pid not in self._limits:
                self._limits[pid] = _limit(pid, target.proc)
        filling = self._filling(counts)
        counters = {EXITED_COUNTER: float(self._exits(filling, target))}
        fullest = self._fullest(filling, counts)
        filling = self._sharing_with(fullest, filling, target)
        limit = self._with_select(fullest, target)
        used = {Resource.DESCRIPTORS: float(counts[fullest])}
        gauges = {
            FILLING_GAUGE: float(len(filling)),
            TOGETHER_GAUGE: float(sum(counts[pid] for pid in filling)),
        }
        if limit.value is None:
            why = limit.reason or limit.state.value
            missing = {LIMIT_GAUGE: why}
            return Reading(
                used=used, gauges=gauges, counters=counters, missing=missing, limits=(limit,)
            )
        gauges[LIMIT_GAUGE] = limit.value
        return Reading(used=used, gauges=gauges, counters=counters, limits=(limit,))

    def _filling(self, counts: dict[int, int]) -> list[int]:
        """Return the processes that filled up since they had least open."""
        self._fewest = {pid: min(now, self._fewest.get(pid, now)) for pid, now in counts.items()}
        growth = {pid: now - self._fewest[pid] for pid, now in counts.items()}
        most = max(growth.values())
        if most < _FILLS_FROM:
            return []
        return [pid for pid, grown in growth.items() if grown >= _FILLS_RATIO * most]

    def _exits(self, filling: Sequence[int], target: TargetView) -> int:
        """Return how many processes have ended so far while they were filled up."""
        living = {(pid, stat.started_ticks) for pid, stat in target.stats.items()}
        self._exited += len(self._filled - living)
        self._filled = {(pid, target.stats[pid].started_ticks) for pid in filling}
        return self._exited

    def _fullest(self, filling: Sequence[int], counts: Mapping[int, int]) -> int:
        if not filling:
            return max(counts, key=lambda pid: (counts[pid] / self._room(pid), counts[pid]))

        def left_ratio(pid: int) -> float:
            grown = counts[pid] - self._fewest[pid]
            return (self._room(pid) - counts[pid]) / grown

        return min(filling, key=lambda pid: (left_ratio(pid), -counts[pid]))

    def _sharing_with(self, fullest: int, filling: Sequence[int], target: TargetView) -> list[int]:
        """Return those of the *filling* processes that run the program of the *fullest*, and so share with it."""
        programs = {pid: self._program(pid, target) for pid in filling}
        return [pid for pid in filling if programs[pid] == programs[fullest]]

    def _program(self, pid: int, target: TargetView) -> str:
        """Return the command line without its numbers: ports and counts tell workers of one program apart."""
        process = pid, target.stats[pid].started_ticks
        if process not in self._programs:
            self._programs = {
                known: program
                for known, program in self._programs.items()
                if known[0] in target.stats
            }
            self._programs[process] = _NUMBER.sub("", command_line(pid, target.proc))
        return self._programs[process]

    def _with_select(self, pid: int, target: TargetView) -> Limit:
        """Return the limit of *pid*, which is FD_SETSIZE if that is lower and it waits with select."""
        limit, stat = self._limits[pid], target.stats[pid]
        if limit.value is not None and limit.value <= FD_SETSIZE:
            return limit
        process = pid, stat.started_ticks
        latest = self._listeners.latest if self._listeners is not None else []
        listening = {listener.inode for listener in latest}
        with contextlib.suppress(OSError):  # The audit says why.
            if process not in self._selecting and waits_with_select(
                pid, stat, listening, target.proc
            ):
                self._selecting.add(process)
        if process not in self._selecting:
            return limit
        return known(Resource.DESCRIPTORS, FD_SETSIZE, SELECT, source_of(pid, target.proc))

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
