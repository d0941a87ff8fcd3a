"""Time in which work waited for a processor, for memory or for disks (Linux, accounting/psi.rst).

Two accounts: the host's and, in version 2, that of the target's own cgroup. "Some" is the time in
which at least one task waited; "full", of memory, that in which all did.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.procfs import read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import ancestors
from capacity.monitor.readings import READ_ERRORS, Reading, reason_of

_KINDS = (("cpu", "some"), ("memory", "some"), ("memory", "full"), ("io", "some"))
_HOST = tuple(f"host_{resource}_pressure_{share}_s" for resource, share in _KINDS)
_CGROUP = tuple(f"cgroup_{resource}_pressure_{share}_s" for resource, share in _KINDS)
_UNIFIED = "pressure"
"""No controller: version 1 has none of that name, and version 2 keeps the account in every cgroup."""


class PressureCollector(TargetCollector):
    provides = (*_HOST, *_CGROUP)

    def __init__(self) -> None:
        self._paths: dict[str, tuple[str, str]] = {}
        self._missing: dict[str, str] = {}

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Find the target's cgroup again; there is no limit to pressure."""
        self._missing = {}
        self._paths = {
            name: (f"{target.proc}/pressure/{resource}", share)
            for name, (resource, share) in zip(_HOST, _KINDS, strict=True)
        }
        try:
            groups = ancestors(target.root, _UNIFIED, target.proc)
        except READ_ERRORS as error:
            self._missing = dict.fromkeys(_CGROUP, reason_of(error))
            return ()
        if not groups:
            self._missing = dict.fromkeys(_CGROUP, "the target is in no version 2 cgroup")
            return ()
        for name, (resource, share) in zip(_CGROUP, _KINDS, strict=True):
            self._paths[name] = groups[0].file(f"{resource}.pressure"), share
        return ()

    def collect(self, target: TargetView) -> Reading:  # noqa: ARG002 - its paths are known
        counters: dict[str, float] = {}
        missing = dict(self._missing)
        for name, (path, share) in self._paths.items():
            try:
                counters[name] = waited_s(read_text(path), share)
            except READ_ERRORS as error:
                missing[name] = reason_of(error)
        return Reading(counters=counters, missing=missing)


def waited_s(text: str, share: str) -> float:
    """Return the total of the line *share*, which stands there in microseconds."""
    for line in text.splitlines():
        fields = line.split()
        if fields[:1] == [share]:
            totals = [int(field[6:]) for field in fields if field.startswith("total=")]
            if totals:
                return totals[0] / 1e6
    raise ValueError(f"no total of {share!r}")
