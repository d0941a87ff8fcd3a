"""Entries of the connection-tracking table, counted by the kernel per network namespace."""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.network_namespace import is_own_namespace
from capacity.monitor.procfs import read_number
from capacity.monitor.readings import READ_ERRORS, Reading
from capacity.monitor.target import TargetView

_NOT_LOADED = "nf_conntrack is not loaded: connections are not tracked here"
_ELSEWHERE = "the target is in another network namespace: run the agent inside it"


class ConntrackCollector(TargetCollector):
    provides = (Resource.CONNTRACK,)

    def collect(self, target: TargetView) -> Reading:
        if not is_own_namespace(target.root, target.proc):
            return Reading(missing={Resource.CONNTRACK: _ELSEWHERE})
        try:
            entries = read_number(_path(target.proc, "count"))
        except FileNotFoundError:
            return Reading(missing={Resource.CONNTRACK: _NOT_LOADED})
        return Reading(used={Resource.CONNTRACK: float(entries)})

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Return the table's size; none where nothing is tracked."""
        source = _path(target.proc, "max")
        try:
            if not is_own_namespace(target.root, target.proc):
                return [unknown(Resource.CONNTRACK, "namespace", source, _ELSEWHERE)]
            size = read_number(source)
        except FileNotFoundError:
            return [unlimited(Resource.CONNTRACK, "namespace", f"{source}: {_NOT_LOADED}")]
        except READ_ERRORS as error:
            return [unknown(Resource.CONNTRACK, "namespace", source, error)]
        return [known(Resource.CONNTRACK, size, "namespace", source)]


def _path(proc: str, what: str) -> str:
    return f"{proc}/sys/net/netfilter/nf_conntrack_{what}"
