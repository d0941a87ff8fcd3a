"""What every cgroup above the target allows, one entry a file that sets a limit.

A cgroup that sets none has no entry: the hierarchy may be deep, and its silence is one answer.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from capacity.domain.resources import AuditEntry, Resource, Scaling
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import Cgroup, ancestors
from capacity.monitor.limits.entries import audited, failing
from capacity.monitor.readings import READ_ERRORS


class _File(NamedTuple):
    name: str
    controller: str
    unit: str
    scales_with: Scaling
    resource: Resource | None = None


_FILES = (
    _File("pids.max", "pids", "threads", Scaling.THREADS, Resource.THREADS),
    _File("memory.max", "memory", "bytes", Scaling.BYTES, Resource.MEMORY),
    _File("memory.high", "memory", "bytes", Scaling.BYTES),
    _File("memory.swap.max", "memory", "bytes", Scaling.BYTES),
    _File("memory.memsw.limit_in_bytes", "memory", "bytes", Scaling.BYTES),
    _File(
        "memory.kmem.tcp.limit_in_bytes",
        "memory",
        "bytes",
        Scaling.QUEUED_BYTES,
        Resource.TCP_MEMORY,
    ),
    _File("cpu.max", "cpu", "cores", Scaling.TRAFFIC, Resource.CPU),
)


def cgroup_entries(target: TargetView) -> Iterator[AuditEntry]:
    """Yield the limits of all ancestors; one entry for a controller where none sets any."""
    for file in _FILES:
        try:
            groups = ancestors(target.root, file.controller, target.proc)
        except READ_ERRORS as error:
            yield _entry(file, f"{target.proc}/{target.root}/cgroup", failing(error))
            continue
        set_by = [
            entry
            for group in groups
            if (entry := _entry(file, group.file(file.name), _reader(file, group))).value
            is not None
            or entry.reason is not None
        ]
        yield from set_by or [_entry(file, _none_source(file, groups), lambda: None)]


def _entry(file: _File, source: str, read: Callable[[], float | None]) -> AuditEntry:
    return audited(
        file.name,
        read,
        unit=file.unit,
        scope="cgroup",
        source=source,
        scales_with=file.scales_with,
        resource=file.resource,
    )


def _reader(file: _File, group: Cgroup) -> Callable[[], float | None]:
    return group.quota_cores if file.controller == "cpu" else lambda: group.limit(file.name)


def _none_source(file: _File, groups: tuple[Cgroup, ...]) -> str:
    if not groups:
        return f"this kernel has no {file.controller} controller for the target"
    return f"none of {len(groups)} cgroups from {groups[0].path} up sets it"
