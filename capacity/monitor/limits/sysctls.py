"""The kernel's settings that cap connections, one line each: where, in what unit, what uses it up.

Documentation/admin-guide/sysctl/{fs,kernel,net,vm}.rst, Documentation/networking/ip-sysctl.rst and
nf_conntrack-sysctl.rst of the Linux kernel; epoll(7), inotify(7), pipe(7). Those of scope namespace
are read in the target's network namespace, which needs CAP_SYS_ADMIN where it is not the agent's;
one that this kernel does not keep by namespace is the host's.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

from capacity.domain.resources import AuditEntry, Limit, Resource, Scaling
from capacity.monitor.host.network_namespace import inside_namespace
from capacity.monitor.host.procfs import PAGE_BYTES, parse_cores, read_number, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.entries import audited
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import READ_ERRORS

_LARGEST_FILE_MAX = (1 << 63) - 1
"""What systemd sets."""


class _Sysctl(NamedTuple):
    name: str
    unit: str
    scope: str
    scales_with: Scaling
    resource: Resource | None = None
    column: int = 0
    factor: int = 1
    unlimited_at: int | None = None
    """The number that stands for no limit."""


_HOST, _USER, _NAMESPACE = "host", "user", "namespace"

_SYSCTLS = (
    _Sysctl("fs.nr_open", "descriptors", _HOST, Scaling.OTHER_LIMIT),
    _Sysctl(
        "fs.file-max",
        "files",
        _HOST,
        Scaling.CONNECTIONS,
        Resource.FILE_TABLE,
        unlimited_at=_LARGEST_FILE_MAX,
    ),
    _Sysctl(
        "fs.epoll.max_user_watches",
        "registrations",
        _USER,
        Scaling.CONNECTIONS,
        Resource.EPOLL_WATCHES,
    ),
    _Sysctl("fs.inotify.max_user_instances", "instances", _USER, Scaling.THREADS),
    _Sysctl("fs.inotify.max_user_watches", "watches", _USER, Scaling.THREADS),
    _Sysctl("fs.aio-max-nr", "requests", _HOST, Scaling.TRAFFIC),
    _Sysctl(
        "fs.pipe-user-pages-soft",
        "bytes",
        _USER,
        Scaling.CONNECTIONS,
        factor=PAGE_BYTES,
        unlimited_at=0,
    ),
    _Sysctl("kernel.threads-max", "threads", _HOST, Scaling.THREADS, Resource.THREADS),
    _Sysctl("kernel.pid_max", "threads", _HOST, Scaling.THREADS, Resource.THREADS),
    _Sysctl("vm.max_map_count", "maps", "process", Scaling.THREADS, Resource.MEMORY_MAPS),
    _Sysctl("net.core.somaxconn", "connections", _NAMESPACE, Scaling.ARRIVALS),
    _Sysctl("net.core.netdev_max_backlog", "packets", _HOST, Scaling.TRAFFIC),
    _Sysctl("net.core.netdev_budget", "packets", _HOST, Scaling.TRAFFIC),
    _Sysctl("net.core.netdev_budget_usecs", "microseconds", _HOST, Scaling.TRAFFIC),
    _Sysctl("net.core.rmem_max", "bytes", _NAMESPACE, Scaling.QUEUED_BYTES),
    _Sysctl("net.core.wmem_max", "bytes", _NAMESPACE, Scaling.QUEUED_BYTES),
    _Sysctl("net.core.optmem_max", "bytes", _NAMESPACE, Scaling.QUEUED_BYTES),
    _Sysctl("net.ipv4.tcp_max_syn_backlog", "connections", _NAMESPACE, Scaling.ARRIVALS),
    _Sysctl("net.ipv4.tcp_rmem", "bytes", _NAMESPACE, Scaling.QUEUED_BYTES, column=2),
    _Sysctl("net.ipv4.tcp_wmem", "bytes", _NAMESPACE, Scaling.QUEUED_BYTES, column=2),
    _Sysctl(
        "net.ipv4.tcp_mem",
        "bytes",
        _HOST,
        Scaling.QUEUED_BYTES,
        Resource.TCP_MEMORY,
        column=2,
        factor=PAGE_BYTES,
    ),
    _Sysctl("net.ipv4.tcp_max_orphans", "sockets", _HOST, Scaling.CLOSES),
    _Sysctl("net.ipv4.tcp_max_tw_buckets", "sockets", _NAMESPACE, Scaling.CLOSES),
    _Sysctl("net.ipv4.neigh.default.gc_thresh3", "entries", _HOST, Scaling.PEERS),
    _Sysctl("net.ipv6.neigh.default.gc_thresh3", "entries", _HOST, Scaling.PEERS),
    _Sysctl(
        "net.ipv6.route.max_size", "entries", _NAMESPACE, Scaling.PEERS, unlimited_at=(1 << 31) - 1
    ),
    _Sysctl(
        "net.netfilter.nf_conntrack_max",
        "entries",
        _NAMESPACE,
        Scaling.CONNECTIONS,
        Resource.CONNTRACK,
    ),
    _Sysctl("net.netfilter.nf_conntrack_buckets", "entries", _NAMESPACE, Scaling.CONNECTIONS),
)


def sysctl_entries(target: TargetView) -> Iterator[AuditEntry]:
    """Yield every setting as it holds for the target."""
    for sysctl in _SYSCTLS:
        path = sysctl_path(sysctl.name, target.proc)
        yield audited(
            sysctl.name,
            _reader(sysctl, path, target),
            unit=sysctl.unit,
            scope=sysctl.scope,
            source=path,
            scales_with=sysctl.scales_with,
            resource=sysctl.resource,
        )
    path = sysctl_path("net.ipv4.ip_local_port_range", target.proc)
    yield audited(
        "net.ipv4.ip_local_port_range",
        _in_namespace(lambda: free_ports(target.proc), target),
        unit="ports",
        scope=_NAMESPACE,
        source=f"{path}: last - first + 1, less ip_local_reserved_ports",
        scales_with=Scaling.OUTGOING,
    )


def sysctl_limit(resource: Resource, name: str, scope: str, proc: str) -> Limit:
    """Return the setting as the limit that it is on *resource*."""
    path = sysctl_path(name, proc)
    try:
        return known(resource, read_number(path), scope, path)
    except READ_ERRORS as error:
        return unknown(resource, scope, path, error)


def sysctl_path(name: str, proc: str) -> str:
    return f"{proc}/sys/{name.replace('.', '/')}"


def _reader(sysctl: _Sysctl, path: str, target: TargetView) -> Callable[[], float | None]:
    def read() -> float | None:
        try:
            value = int(read_text(path).split()[sysctl.column])
        except IndexError:
            raise ValueError(f"{path} has no column {sysctl.column + 1}") from None
        except FileNotFoundError:
            if sysctl.name.startswith("net.netfilter."):
                return None  # The module is not loaded: nothing is tracked.
            raise
        return None if value == sysctl.unlimited_at else value * sysctl.factor

    return _in_namespace(read, target) if sysctl.scope == _NAMESPACE else read


def _in_namespace(
    read: Callable[[], float | None], target: TargetView
) -> Callable[[], float | None]:
    def read_there() -> float | None:
        with inside_namespace(target.root, target.proc), suppress(FileNotFoundError):
            return read()
        return read()

    return read_there


def free_ports(proc: str, bound: Collection[int] = ()) -> float:
    """Return how many ports the kernel chooses from in the caller's network namespace.

    *bound* are ports that somebody listens on: no outgoing connection gets one.
    """
    path = sysctl_path("net.ipv4.ip_local_port_range", proc)
    first, last = map(int, read_text(path).split())
    reserved = read_text(sysctl_path("net.ipv4.ip_local_reserved_ports", proc)).strip()
    taken = {*(parse_cores(reserved) if reserved else ()), *bound}
    return sum(port not in taken for port in range(first, last + 1))
