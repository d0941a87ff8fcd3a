"""Limits of one process, from /proc/PID/limits (getrlimit(2)); readable without privilege.

Of a tree of processes the audit shows the tightest: the one that gives out first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from capacity.domain.resources import AuditEntry, Resource, Scaling
from capacity.monitor.host.procfs import read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.entries import audited

_LINE = re.compile(r"^(Max [a-z ]+?)\s+(unlimited|\d+)\s+(unlimited|\d+)\s", re.MULTILINE)


_Pair = tuple[int | None, int | None]
"""Soft and hard limit; None is unlimited."""


class _Rlimit(NamedTuple):
    name: str
    line: str
    unit: str
    scope: str
    scales_with: Scaling
    resource: Resource | None = None
    is_hard: bool = False


_AUDITED = (
    _Rlimit(
        "RLIMIT_NOFILE",
        "Max open files",
        "descriptors",
        "process",
        Scaling.CONNECTIONS,
        Resource.DESCRIPTORS,
    ),
    _Rlimit(
        "RLIMIT_NOFILE (hard)",
        "Max open files",
        "descriptors",
        "process",
        Scaling.OTHER_LIMIT,
        is_hard=True,
    ),
    _Rlimit(
        "RLIMIT_NPROC",
        "Max processes",
        "threads",
        "user",
        Scaling.THREADS,
        Resource.USER_PROCESSES,
    ),
    _Rlimit(
        "RLIMIT_AS",
        "Max address space",
        "bytes",
        "process",
        Scaling.BYTES,
        Resource.ADDRESS_SPACE,
    ),
    _Rlimit(
        "RLIMIT_DATA",
        "Max data size",
        "bytes",
        "process",
        Scaling.BYTES,
        Resource.DATA_SEGMENT,
    ),
    _Rlimit("RLIMIT_STACK", "Max stack size", "bytes", "process", Scaling.THREADS),
    _Rlimit("RLIMIT_MEMLOCK", "Max locked memory", "bytes", "process", Scaling.BYTES),
)

EXEMPT = ", or none for root and privileged processes"
"""What a process limit that limits nothing says of itself."""
_ITSELF = ["0", "0"]
_FIRST_MAP = [*_ITSELF, "4294967295"]
"""/proc/PID/uid_map of the first user namespace."""

_CAP_SYS_ADMIN, _CAP_SYS_RESOURCE = 21, 24


def read_rlimits(pid: int, proc: str = "/proc") -> dict[str, _Pair]:
    """Return soft and hard limit of *pid* by the name of the line."""
    text = read_text(f"{proc}/{pid}/limits")
    return {name: (_number(soft), _number(hard)) for name, soft, hard in _LINE.findall(text)}


def soft_open_files(pid: int, proc: str = "/proc") -> int | None:
    """Return the soft RLIMIT_NOFILE of *pid*; None when it is unlimited."""
    return _pair(read_rlimits(pid, proc), "Max open files", f"{proc}/{pid}/limits")[0]


def soft_limit(found: Mapping[str, _Pair], line: str, path: str) -> int | None:
    """Return the soft limit of *line* from what was read of *path*; None when it is unlimited."""
    return _pair(found, line, path)[0]


def tightest_process_limit(target: TargetView) -> tuple[int, int | None]:
    """Return a process of the target and its soft RLIMIT_NPROC; None when nothing limits any.

    Nothing limits a process that is the superuser's or privileged to ignore it (setrlimit(2)), which
    takes privilege in the first user namespace: that of a container's own does not count.
    """
    found: dict[int, int] = {}
    trouble: OSError | None = None
    for pid in target.stats:
        try:
            path = f"{target.proc}/{pid}/limits"
            soft = _pair(read_rlimits(pid, target.proc), "Max processes", path)[0]
            if soft is not None and not _is_exempt(pid, target.proc):
                found[pid] = soft
        except (FileNotFoundError, ProcessLookupError) as error:
            trouble = error  # It ended.
            continue
        trouble = None
    if trouble is not None and not found:
        raise trouble
    if not found:
        return target.root, None
    pid = min(found, key=found.__getitem__)
    return pid, found[pid]


def _is_exempt(pid: int, proc: str) -> bool:
    """Return whether *pid* is the superuser's as the kernel sees it, or privileged like one.

    A user id is shown as our own user namespace has it, and a map counts from there.
    """
    status = read_status(pid, proc)
    is_superuser = status_word(status, "Uid") == "0"
    if is_superuser and _user_map("self", proc)[:2] == _ITSELF:
        return True
    capabilities = int(status_word(status, "CapEff"), 16)
    is_privileged = capabilities & (1 << _CAP_SYS_ADMIN | 1 << _CAP_SYS_RESOURCE)
    return bool(is_privileged) and _user_map(pid, proc) == _FIRST_MAP


def _user_map(pid: int | str, proc: str) -> list[str]:
    try:
        return read_text(f"{proc}/{pid}/uid_map").split()
    except FileNotFoundError:
        return _FIRST_MAP  # A kernel without user namespaces.


def read_status(pid: int, proc: str = "/proc") -> dict[str, list[str]]:
    """Return the fields of /proc/PID/status as lists of words."""
    lines = read_text(f"{proc}/{pid}/status").splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def status_word(status: Mapping[str, list[str]], name: str) -> str:
    """Return the first word of a field; ValueError where there is none."""
    words = status.get(name)
    if not words:
        raise ValueError(f"status has no {name}")
    return words[0]


def rlimit_entries(target: TargetView) -> Iterator[AuditEntry]:
    """Yield each limit of the process that has the least of it."""
    limits = {pid: _limits_or_none(pid, target.proc) for pid in target.stats}
    readable = {pid: found for pid, found in limits.items() if found is not None}
    for rlimit in _AUDITED:
        tightest = min(
            readable,
            key=lambda pid: _rank(readable[pid].get(rlimit.line), rlimit.is_hard),
            default=target.root,
        )

        def read(rlimit: _Rlimit = rlimit, pid: int = tightest) -> int | None:
            if rlimit.resource is Resource.USER_PROCESSES:
                return tightest_process_limit(target)[1]
            found = readable[pid] if pid in readable else read_rlimits(pid, target.proc)
            return _pair(found, rlimit.line, f"{target.proc}/{pid}/limits")[rlimit.is_hard]

        source = f"{target.proc}/{tightest}/limits: {rlimit.line} ({'hard' if rlimit.is_hard else 'soft'})"
        entry = audited(
            rlimit.name,
            read,
            unit=rlimit.unit,
            scope=rlimit.scope,
            source=source,
            scales_with=rlimit.scales_with,
            resource=rlimit.resource,
        )
        is_passed = entry.resource is Resource.USER_PROCESSES and entry.value is None
        yield replace(entry, source=f"{source}{EXEMPT}") if is_passed else entry


def _limits_or_none(pid: int, proc: str) -> Mapping[str, _Pair] | None:
    try:
        return read_rlimits(pid, proc)
    except OSError:
        return None  # It ended; if it is the only one, reading again says why.


def _rank(pair: _Pair | None, is_hard: bool) -> float:  # noqa: FBT001 - an index of the pair
    value = None if pair is None else pair[is_hard]
    return float("inf") if value is None else value


def _pair(found: Mapping[str, _Pair], line: str, path: str) -> _Pair:
    if line not in found:
        raise ValueError(f"{path} has no line {line!r}")
    return found[line]


def _number(text: str) -> int | None:
    return None if text == "unlimited" else int(text)
