"""What the host itself has: memory, swap and cores, and how much of the memory may be promised."""

import contextlib
from collections.abc import Iterator

import psutil

from capacity.domain.resources import AuditEntry, Resource, Scaling
from capacity.monitor.host.procfs import needed, parse_cores, parse_meminfo, read_number, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.entries import audited
from capacity.monitor.limits.rlimits import read_status, status_word

_NEVER_BEYOND = 2
"""vm.overcommit_memory: no promise beyond CommitLimit."""


def host_entries(target: TargetView) -> Iterator[AuditEntry]:
    """Yield the host's memory and processors, and those of them that the target may use."""
    path = f"{target.proc}/meminfo"
    for line, resource in (("MemTotal", Resource.HOST_MEMORY), ("SwapTotal", None)):
        yield audited(
            line,
            lambda line=line: _size_bytes(line, path),  # type: ignore[misc]
            unit="bytes",
            scope="host",
            source=f"{path}: {line}",
            scales_with=Scaling.BYTES,
            resource=resource,
        )
    yield audited(
        "CommitLimit",
        lambda: _commit_limit_bytes(target.proc),
        unit="bytes",
        scope="host",
        source=f"{path}: CommitLimit, where {target.proc}/sys/vm/overcommit_memory is 2",
        scales_with=Scaling.BYTES,
    )
    yield audited(
        "online processors",
        psutil.cpu_count,
        unit="cores",
        scope="host",
        source="sysconf(_SC_NPROCESSORS_ONLN)",
        scales_with=Scaling.TRAFFIC,
        resource=Resource.CPU,
    )
    yield audited(
        "Cpus_allowed",
        lambda: len(allowed_cores(target)),
        unit="cores",
        scope="process",
        source=f"{target.proc}/PID/status: Cpus_allowed_list",
        scales_with=Scaling.TRAFFIC,
        resource=Resource.CPU,
    )


def _size_bytes(line: str, path: str) -> int:
    return needed(parse_meminfo(read_text(path)), line)


def _commit_limit_bytes(proc: str) -> int | None:
    if read_number(f"{proc}/sys/vm/overcommit_memory") != _NEVER_BEYOND:
        return None
    return _size_bytes("CommitLimit", f"{proc}/meminfo")


def allowed_cores(target: TargetView) -> set[int]:
    """Return the cores that any process of the target may use; its cpuset is already in there."""
    cores: set[int] = set()
    for pid in target.stats:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = read_status(pid, target.proc)
            cores |= parse_cores(status_word(status, "Cpus_allowed_list"))
    if not cores:
        raise ProcessLookupError
    return cores
