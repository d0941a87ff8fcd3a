"""All processes that we see, by what they are called, how they were started, and by whom."""

import os
import re
from collections.abc import Callable, Iterable, Iterator

import psutil

from capacity.domain.errors import UnreachableError
from capacity.monitor.host import visibility
from capacity.monitor.host.procfs import read_text


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False


def named_processes(name: str) -> set[int]:
    """Return the processes called *name*, this one excepted."""
    pids = set(_living_processes(lambda pid: name_of(pid) == name))
    if not pids:
        raise UnreachableError(
            f"no process is called {name!r}: the name must match exactly (ps -eo comm lists them)"
            f"{visibility.hint()}"
        )
    return pids


def matching_processes(pattern: str) -> set[int]:
    """Return the processes whose command line contains *pattern*.

    Without those that started this one: the pattern is on their command lines too.
    """
    expression = re.compile(pattern)
    pids = set(_living_processes(lambda pid: bool(expression.search(command_line(pid)))))
    pids -= set(ancestors(os.getpid()))
    if not pids:
        raise UnreachableError(
            f"no command line contains {pattern!r} (ps -eo args lists them){visibility.hint()}"
        )
    return pids


def _living_processes(is_meant: Callable[[int], bool]) -> Iterator[int]:
    own = os.getpid()
    return (pid for pid in psutil.pids() if pid != own and is_meant(pid) and is_alive(pid))


def command_line(pid: int, proc: str = "/proc") -> str:
    """Return the words that *pid* was started with; empty for a kernel thread or a process gone."""
    try:
        return read_text(f"{proc}/{pid}/cmdline").replace("\0", " ").strip()
    except OSError:
        return ""


def outermost(pids: Iterable[int]) -> tuple[int, ...]:
    """Return those of *pids* that none of the others started."""
    candidates = set(pids)
    return tuple(sorted(pid for pid in candidates if not candidates.intersection(ancestors(pid))))


def topmost(pids: Iterable[int]) -> tuple[int, ...]:
    """Return the outermost of *pids*; or their parent, if it is alike.

    A prefork master is found by what its workers hold. Workers that each opened the port
    (SO_REUSEPORT) have a master that does not hold it: it is taken when it bears their name.
    """
    roots = outermost(pids)
    if len(roots) < 2:
        return roots
    parents = {next(iter(ancestors(pid)), 0) for pid in roots}
    names = {name_of(pid) for pid in roots}
    if len(parents) == 1 and {name_of(pid) for pid in parents} == names:
        return tuple(parents)
    return roots


def ancestors(pid: int) -> list[int]:
    """Return who started *pid*, and who started that, up to the first process."""
    try:
        return [parent.pid for parent in psutil.Process(pid).parents()]
    except psutil.Error:
        return []


def name_of(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return ""
