"""Threads and processes of the target's user, against RLIMIT_NPROC (setrlimit(2)).

The kernel counts by real user, whichever program they belong to, and does not tell: so every
process of the host is looked at, which is paced. The target's own are counted anew for every sample:
they are what grows. Where nothing limits the target, as with the superuser, nothing is counted but
the target itself. An agent in a container sees no process outside, and the limit says so.
"""

from collections.abc import Container, Iterable, Mapping

import psutil

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.target import TargetView
from capacity.monitor.host.visibility import sees_one_container
from capacity.monitor.limits.rlimits import (
    EXEMPT,
    read_status,
    status_word,
    tightest_process_limit,
)
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.pace import Pace
from capacity.monitor.readings import READ_ERRORS, Reading

_EVERY_S = 2.0
_COST_RATIO = 0.0005
_INTERVAL_GAUGE = "user_processes_interval_s"
_UNSEEN = "; processes of that user outside the agent's container count too but are not visible"


class UserProcessesCollector(TargetCollector):
    provides = (Resource.USER_PROCESSES, _INTERVAL_GAUGE)

    def __init__(self) -> None:
        self._pace = Pace(_EVERY_S, _COST_RATIO)
        self._limited_pid: int | None = None
        self._others: Mapping[int, int] = {}
        """Threads of each process of the user that was no part of the target."""
        self._users: dict[int, str] = {}
        """The real user of each process of the target."""

    def limits(self, target: TargetView) -> Iterable[Limit]:
        self._limited_pid, self._users = None, {}
        source = f"{target.proc}/{target.root}/limits: Max processes (soft)"
        try:
            pid, soft = tightest_process_limit(target)
        except READ_ERRORS as error:
            return [unknown(Resource.USER_PROCESSES, "user", source, error)]
        source = f"{target.proc}/{pid}/limits: Max processes (soft)"
        if soft is None:
            return [unlimited(Resource.USER_PROCESSES, "user", f"{source}{EXEMPT}")]
        self._limited_pid = pid
        if sees_one_container(target.proc):
            source += _UNSEEN
        return [known(Resource.USER_PROCESSES, soft, "user", source)]

    def collect(self, target: TargetView) -> Reading:
        if self._limited_pid is None:
            threads = sum(stat.threads for stat in target.stats.values())
            return Reading(used={Resource.USER_PROCESSES: float(threads)})
        user = self._user(self._limited_pid, target.proc)
        gauges = {}
        if self._pace.is_due:
            with self._pace.reading():
                self._others = threads_of(user, target.proc, but=target.stats)
            gauges[_INTERVAL_GAUGE] = self._pace.interval_s
        threads = sum(
            stat.threads
            for pid, stat in target.stats.items()
            if self._user(pid, target.proc) == user
        )
        # Those forked since were looked at as others once, and belong to the target now.
        threads += sum(count for pid, count in self._others.items() if pid not in target.stats)
        return Reading(used={Resource.USER_PROCESSES: float(threads)}, gauges=gauges)

    def _user(self, pid: int, proc: str) -> str:
        if pid not in self._users:
            try:
                self._users[pid] = status_word(read_status(pid, proc), "Uid")
            except (FileNotFoundError, ProcessLookupError):
                if pid == self._limited_pid:
                    raise
                return ""  # It ended.
        return self._users[pid]


def threads_of(user: str, proc: str = "/proc", but: Container[int] = ()) -> dict[int, int]:
    """Return the threads of each process whose real user id is *user*, those *but* left out."""
    threads = {}
    for pid in psutil.pids():
        if pid in but:
            continue
        try:
            status = read_status(pid, proc)
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended.
        if status_word(status, "Uid") == user:
            threads[pid] = int(status_word(status, "Threads"))
    return threads
