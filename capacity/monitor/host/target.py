"""The target as a tree of processes, followed through forks, exits and restarts."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.words import printable
from capacity.monitor.host.discovery import Selector, find_roots, group_members
from capacity.monitor.host.procfs import ProcessStat, parse_stat, read_text
from capacity.monitor.readings import READ_ERRORS, reason_of

_REFRESH_S = 5.0
_RESOLVE_S = 2.0
_REFRESH_COST_RATIO = 0.001
"""Looking for children may take this share of a core; a target of many threads is asked less."""


_WATCHED = 8
"""Processes whose children are looked at for every sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """The target as it was for one sample; collectors read only what is in here, or by these pids."""

    name: str
    started_at: float
    """Start of the first process, epoch seconds."""
    stats: Mapping[int, ProcessStat]
    """Each living process of the tree, the roots first."""
    proc: str = "/proc"

    @property
    def root(self) -> int:
        """A living process that stands for the whole where one must: namespaces, cgroups."""
        return next(iter(self.stats))


class Target:
    """Finds the target and follows it. `missing` says why there is none at the moment."""

    def __init__(self, selector: Selector, proc: str = "/proc") -> None:
        self.selector = selector
        self.missing: str | None = None
        self._proc = proc
        self._roots: tuple[int, ...] = ()
        self._name = ""
        self._started_at = 0.0
        self._root_ticks: dict[int, int] = {}
        self._started_ticks: dict[int, int] = {}
        """pid -> start of the process that we mean: another start is another process."""
        self._look_at_s = 0.0

    def resolve(self) -> None:
        """Find the target's first processes; UnreachableError when there are none."""
        roots = find_roots(self.selector)
        try:
            name = printable(psutil.Process(roots[0]).name())  # Any bytes, also an end of the line.
            started_at = min(psutil.Process(pid).create_time() for pid in roots)
        except psutil.NoSuchProcess as error:
            raise UnreachableError(f"{self.selector} ended while it was being found") from error
        stats = self._read(roots)
        started_ticks = {pid: stat.started_ticks for pid, stat in stats.items()}
        if self.selector.pid is not None and self._root_ticks not in ({}, started_ticks):
            raise UnreachableError(f"process {self.selector.pid} is another one by now")
        self._roots, self._name, self._started_at = roots, name, started_at
        self._root_ticks, self._started_ticks = started_ticks, dict(started_ticks)
        self._look_at_s = 0.0

    def view(self) -> TargetView | None:
        """Return the target as it is now; None while it is gone (and look for it again)."""
        try:
            return self._view()
        except READ_ERRORS as error:
            self.missing = f"the target cannot be read: {reason_of(error)}"
            return None

    def _view(self) -> TargetView | None:
        now_s = time.monotonic()
        if self.missing is not None:
            if now_s < self._look_at_s:
                return None
            self._look_at_s = now_s + _RESOLVE_S
            try:
                self.resolve()
            except (UnreachableError, ConfigError) as error:
                # Ambiguous for a while: the old and the new one of a restart, side by side.
                self.missing = f"the target is gone: {error}"
                return None
        stats = self._living()
        if stats and now_s >= self._look_at_s:
            stats = self._with_children(stats, now_s)
        elif stats:
            stats = self._with_forked(stats)
        if not stats:
            self.missing = f"the target is gone: {self.selector} ended"
            self._look_at_s = now_s + _RESOLVE_S
            return None
        self.missing = None
        return TargetView(
            name=self._name, started_at=self._started_at, stats=stats, proc=self._proc
        )

    def _living(self) -> dict[int, ProcessStat]:
        stats = self._read(self._started_ticks)
        living = {
            pid: stat
            for pid, stat in stats.items()
            if stat.started_ticks == self._started_ticks[pid]
        }
        self._started_ticks = {pid: stat.started_ticks for pid, stat in living.items()}
        return living

    def _with_children(self, stats: dict[int, ProcessStat], now_s: float) -> dict[int, ProcessStat]:
        """Return *stats* and those of the children started since we last looked."""
        began_s = time.thread_time()
        if self.selector.pid is None and any(root not in stats for root in self._roots):
            # A master was replaced while its workers lived on: the name or port tells by whom.
            with contextlib.suppress(UnreachableError, ConfigError):
                self.resolve()
        known = {**self._read(self._started_ticks), **stats}
        tree = process_tree((*known, *(self._joined() - known.keys())), self._proc)
        new = self._read(pid for pid in tree if pid not in known)
        stats = {**known, **new}
        self._started_ticks = {pid: stat.started_ticks for pid, stat in stats.items()}
        cost_s = time.thread_time() - began_s
        self._look_at_s = now_s + max(_REFRESH_S, cost_s / _REFRESH_COST_RATIO)
        return stats

    def _with_forked(self, stats: dict[int, ProcessStat]) -> dict[int, ProcessStat]:
        """Return *stats* and those of the new children of processes that have had some,

        or of all where they are few.

        Where each connection has a process these would else be late for the load they belong to.
        """
        parents = {stat.parent_pid for stat in stats.values()}
        watched = sorted(stats, key=lambda pid: pid not in parents)[:_WATCHED]
        forked = {pid for parent in watched for pid in _forked(parent, self._proc)}
        new = self._read(forked - self._started_ticks.keys() - {os.getpid()})
        self._started_ticks |= {pid: stat.started_ticks for pid, stat in new.items()}
        return stats | new

    def _joined(self) -> set[int]:
        """Return the members of the unit or cgroup: not all are children of the first ones."""
        try:
            return group_members(self.selector)
        except (UnreachableError, ConfigError):
            return set()

    def _read(self, pids: Iterable[int]) -> dict[int, ProcessStat]:
        """Return the stat of those of *pids* that live."""
        stats = {pid: read_stat(pid, self._proc) for pid in pids}
        return {pid: stat for pid, stat in stats.items() if stat is not None and stat.is_alive}


def read_stat(pid: int, proc: str = "/proc", file: str = "stat") -> ProcessStat | None:
    """Return the stat of a process, or *file* of one of its threads; None when it is gone."""
    try:
        return parse_stat(read_text(f"{proc}/{pid}/{file}"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def process_tree(roots: tuple[int, ...], proc: str = "/proc") -> list[int]:
    """Return *roots* and all their descendants, parents first; the agent itself left out."""
    found, seen = list(roots), set(roots)
    for pid in found:
        new = [child for child in children(pid, proc) if child not in seen]
        found += new
        seen.update(new)
    own = os.getpid()
    return [pid for pid in found if pid != own]


def children(pid: int, proc: str = "/proc") -> list[int]:
    """Return the children that any thread of *pid* started; empty when the process is gone."""
    pids: list[int] = []
    try:
        threads = os.listdir(f"{proc}/{pid}/task")  # noqa: PTH208 - names are all we need
    except OSError:
        return pids
    for thread in threads:
        pids += _forked(pid, proc, thread)
    return pids


def _forked(pid: int, proc: str, thread: str | None = None) -> list[int]:
    """Return the children that one thread of *pid* started, by default its main thread."""
    try:
        path = f"{proc}/{pid}/task/{thread or pid}/children"
        return [int(word) for word in read_text(path).split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
