"""Entries of the connection-tracking table, counted by the kernel per network namespace."""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.network_namespace import inside_namespace
from capacity.monitor.host.procfs import read_number
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import READ_ERRORS, Reading

_NOT_LOADED = "nf_conntrack is not loaded: connections are not tracked here"


class ConntrackCollector(TargetCollector):
    provides = (Resource.CONNTRACK,)

    def collect(self, target: TargetView) -> Reading:
        entries = _number(target, "count")
        if entries is None:
            return Reading(missing={Resource.CONNTRACK: _NOT_LOADED})
        return Reading(used={Resource.CONNTRACK: float(entries)})

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Return the table's size; none where nothing is tracked."""
        source = _path(target.proc, "max")
        try:
            size = _number(target, "max")
        except READ_ERRORS as error:
            return [unknown(Resource.CONNTRACK, "namespace", source, error)]
        if size is None:
            return [unlimited(Resource.CONNTRACK, "namespace", f"{source}: {_NOT_LOADED}")]
        return [known(Resource.CONNTRACK, size, "namespace", source)]


def _number(target: TargetView, what: str) -> int | None:
    """Return a number of the target's namespace, None where the module is not loaded."""
    with inside_namespace(target.root, target.proc):
        try:
            return read_number(_path(target.proc, what))
        except FileNotFoundError:
            return None


def _path(proc: str, what: str) -> str:
    return f"{proc}/sys/net/netfilter/nf_conntrack_{what}"
