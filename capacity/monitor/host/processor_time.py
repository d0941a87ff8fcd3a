"""Processor time of threads and processes in seconds, finer than the kernel's ticks of 10 ms.

/proc/PID/task/TID/schedstat begins with the nanoseconds that one thread has run (Linux,
Documentation/scheduler/sched-stats.rst); /proc/PID/schedstat is that of the main thread only. The
utime and stime of /proc/PID/stat are whole ticks, but of all threads, the ended ones included.
"""

import os
from collections.abc import Iterable

from capacity.monitor.host.procfs import TICKS_PER_S, ProcessStat, read_text
from capacity.monitor.host.target import read_stat

_ROUNDED_OFF_TICKS = 2
"""utime and stime are each rounded down."""


def thread_ids(pid: int, stat: ProcessStat, proc: str = "/proc") -> list[int]:
    """Return the threads of a process; none when it ended since *stat* was read."""
    if stat.threads == 1:
        return [pid]
    try:
        return [int(name) for name in os.listdir(f"{proc}/{pid}/task")]  # noqa: PTH208 - names are all we need
    except OSError:
        return []


def thread_spent_s(pid: int, thread_id: int, proc: str = "/proc") -> float | None:
    """Return what a thread has spent, in ticks where the kernel offers no more; None: it ended."""
    spent_s = _scheduled_s(pid, thread_id, proc)
    if spent_s is not None:
        return spent_s
    stat = read_stat(pid, proc, f"task/{thread_id}/stat")
    return None if stat is None else stat.cpu_ticks / TICKS_PER_S


class ProcessClock:
    """What one process has spent: the sum over its threads, never less than its ticks say.

    The threads' own clocks lose what a thread spent between its last reading and its end. The
    ticks know it, but up to two ticks late: so the clock starts two ticks ahead of them, follows
    the threads, and is put forward when the ticks overtake it.
    """

    def __init__(self) -> None:
        self._spent_s: float | None = None
        self._threads_s: dict[int, float] | None = None
        """What each thread had spent; None when they were not read."""

    def read(self, pid: int, stat: ProcessStat, threads: Iterable[int], proc: str) -> float:
        """Return the time spent since some moment before the first reading; never less than before.

        *threads* are all threads of the process, or none to go by its ticks alone.
        """
        ticks_s = stat.cpu_ticks / TICKS_PER_S
        read_s = {thread: _scheduled_s(pid, thread, proc) for thread in threads}
        threads_s = {thread: spent_s for thread, spent_s in read_s.items() if spent_s is not None}
        before_s = self._threads_s
        self._threads_s = threads_s or None
        if self._spent_s is None:
            ahead_s = _ROUNDED_OFF_TICKS / TICKS_PER_S if threads_s else 0.0
            self._spent_s = ticks_s + ahead_s
        elif before_s is not None:
            self._spent_s += sum(
                _since(before_s.get(thread, 0.0), spent_s) for thread, spent_s in threads_s.items()
            )
        self._spent_s = max(self._spent_s, ticks_s)
        return self._spent_s


def _since(before_s: float, now_s: float) -> float:
    # Less than before: another thread was given the id, and this is what it has spent in all.
    return now_s - before_s if now_s >= before_s else now_s


def _scheduled_s(pid: int, thread_id: int, proc: str) -> float | None:
    """Return the first field of schedstat; None when the thread or the kernel has none."""
    try:
        fields = read_text(f"{proc}/{pid}/task/{thread_id}/schedstat").split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # A kernel that does not keep the statistics says 0 0 0, even of a thread that has run.
    return int(fields[0]) / 1e9 if any(field != "0" for field in fields) else None
