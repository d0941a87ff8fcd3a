"""Threads and processes of the target's user, against RLIMIT_NPROC (setrlimit(2)).

The kernel counts by real user, whichever program they belong to, and does not tell: so every
process of the host is looked at, which is paced. Where nothing limits the target, as with the
superuser, nothing is counted but the target itself.
"""

from collections.abc import Iterable

import psutil

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.limits.rlimits import read_status, status_word, tightest_process_limit
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.pace import Pace
from capacity.monitor.readings import READ_ERRORS, Reading
from capacity.monitor.target import TargetView

_EVERY_S = 2.0
_COST_RATIO = 0.0005
_INTERVAL_GAUGE = "user_processes_interval_s"


class UserProcessesCollector(TargetCollector):
    provides = (Resource.USER_PROCESSES, _INTERVAL_GAUGE)

    def __init__(self) -> None:
        self._pace = Pace(_EVERY_S, _COST_RATIO)
        self._limited_pid: int | None = None

    def limits(self, target: TargetView) -> Iterable[Limit]:
        self._limited_pid = None
        source = f"{target.proc}/{target.root}/limits: Max processes (soft)"
        try:
            pid, soft = tightest_process_limit(target)
        except READ_ERRORS as error:
            return [unknown(Resource.USER_PROCESSES, "user", source, error)]
        source = f"{target.proc}/{pid}/limits: Max processes (soft)"
        if soft is None:
            return [unlimited(Resource.USER_PROCESSES, "user", source)]
        self._limited_pid = pid
        return [known(Resource.USER_PROCESSES, soft, "user", source)]

    def collect(self, target: TargetView) -> Reading:
        if not self._pace.is_due:
            return Reading()
        with self._pace.reading():
            if self._limited_pid is None:
                threads = sum(stat.threads for stat in target.stats.values())
            else:
                user = status_word(read_status(self._limited_pid, target.proc), "Uid")
                threads = threads_of(user, target.proc)
        return Reading(
            used={Resource.USER_PROCESSES: float(threads)},
            gauges={_INTERVAL_GAUGE: self._pace.interval_s},
        )


def threads_of(user: str, proc: str = "/proc") -> int:
    """Return the threads of all processes whose real user id is *user*."""
    threads = 0
    for pid in psutil.pids():
        try:
            status = read_status(pid, proc)
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended.
        if status_word(status, "Uid") == user:
            threads += int(status_word(status, "Threads"))
    return threads
