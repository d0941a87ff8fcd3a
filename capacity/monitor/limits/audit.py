"""Every limit that caps the target's connections, in every place where it is set.

The effective limit on a resource is the smallest of its entries here. Read without any load, in
milliseconds; what may not be read is unknown and says which privilege would help.
"""

from collections.abc import Iterable, Iterator, Sequence

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.host.sock_diag import Listener
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroup_entries import cgroup_entries
from capacity.monitor.limits.entries import audited
from capacity.monitor.limits.heap_caps import heap_entries
from capacity.monitor.limits.host_entries import host_entries
from capacity.monitor.limits.links import link_entries
from capacity.monitor.limits.rlimits import rlimit_entries
from capacity.monitor.limits.select_sets import select_entries
from capacity.monitor.limits.sysctls import sysctl_entries


def audit(
    target: TargetView,
    listeners: Sequence[Listener] = (),
    of_applications: Iterable[AuditEntry] = (),
) -> tuple[AuditEntry, ...]:
    """Return all entries: those of its applications, its *listeners* and its processes first."""
    return (
        *of_applications,
        *_backlog_entries(listeners),
        *rlimit_entries(target),
        *select_entries(target, listeners),
        *heap_entries(target),
        *cgroup_entries(target),
        *sysctl_entries(target),
        *link_entries(target),
        *host_entries(target),
    )


def _backlog_entries(listeners: Sequence[Listener]) -> Iterator[AuditEntry]:
    for port in sorted({listener.port for listener in listeners}):
        # The kernel admits one more than it says (sk_acceptq_is_full).
        backlog = min(entry.accept_queue_limit for entry in listeners if entry.port == port)
        yield audited(
            f"accept queue of port {port}",
            lambda backlog=backlog: backlog + 1,  # type: ignore[misc]
            unit="connections",
            scope="process",
            source="sock_diag: smaller of listen(2)'s backlog and net.core.somaxconn, and one",
            scales_with=Scaling.ARRIVALS,
        )
