"""Heap of the runtime, against the cap that it was given: the process nearest to its own speaks.

A JVM tells what it has in use, garbage included. Collected garbage takes no connection's place, so
that the use is the least of the last readings: what was left by the latest collection, where there
was one. Of PHP it is the chunks that it has mapped.
Node, Deno, Go, .NET and a JVM that tells nothing are known by their anonymous memory only (with
what of it was swapped out): their heap is in there, so that it is never more, and the limit says so.
V8's cap leaves its young generation out, which is in there as well: half of that is added. An Erlang
machine is known by all that is resident, as RabbitMQ's watermark is compared with.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.hsperfdata import counters_file, heap_used_bytes
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.heap_caps import HeapCap, heap_cap
from capacity.monitor.limits.php_memory import php_heap_bytes
from capacity.monitor.limits.rlimits import read_status, status_word
from capacity.monitor.limits.runtimes import Runtime
from capacity.monitor.readings import READ_ERRORS, Reading, of_each

MOST_READ = 8
"""Processes read for one sample: those with most resident memory for their cap."""
_RECENT = 5
"""Readings among which a collection is looked for; guards look at as many samples."""
_STATES = (LimitState.KNOWN, LimitState.UNKNOWN, LimitState.UNLIMITED)
"""In the order in which they count, as of all limits on a resource."""
_BOUND = "its use is the anonymous memory of the process, which holds more than the heap"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    pid: int
    used_bytes: int
    cap: HeapCap
    is_bound: bool

    @property
    def share(self) -> tuple[float, int]:
        limit = self.cap.limit.value
        return (0.0 if limit is None else self.used_bytes / max(limit, 1.0)), self.used_bytes


class HeapCollector(TargetCollector):
    provides = (Resource.HEAP,)
    tells_limits_with_usage = True

    def __init__(self) -> None:
        self._caps: dict[int, HeapCap] = {}
        self._counters: dict[int, str | None] = {}
        self._recent: dict[int, deque[int]] = {}

    def limits(self, target: TargetView) -> Iterable[Limit]:
        """Forget the caps read so far: a process may have become another program."""
        self._caps, self._counters = {}, {}
        self._recent = {pid: uses for pid, uses in self._recent.items() if pid in target.stats}
        return ()

    def collect(self, target: TargetView) -> Reading:
        caps = of_each(target.stats, lambda pid: self._cap(pid, target.proc))
        uses = of_each(_nearest(caps, target), lambda pid: self._use(pid, caps[pid], target.proc))
        fullest = max(uses.values(), key=lambda use: use.share)
        limit = fullest.cap.limit
        if limit.state is LimitState.KNOWN and fullest.is_bound:
            limit = _of_anonymous(fullest.cap)
        return Reading(used={Resource.HEAP: float(fullest.used_bytes)}, limits=(limit,))

    def _cap(self, pid: int, proc: str) -> HeapCap:
        if pid not in self._caps:
            self._caps[pid] = heap_cap(pid, proc)
        return self._caps[pid]

    def _use(self, pid: int, cap: HeapCap, proc: str) -> _Use:
        status = read_status(pid, proc)
        if cap.runtime is Runtime.JVM:
            if pid not in self._counters:
                inner = int(status.get("NSpid", [str(pid)])[-1])
                self._counters[pid] = counters_file(pid, inner, proc)
            if (path := self._counters[pid]) is not None:
                recent = self._recent.setdefault(pid, deque(maxlen=_RECENT))
                try:
                    recent.append(heap_used_bytes(path))
                except READ_ERRORS:
                    self._counters[pid] = None
                else:
                    return _Use(pid=pid, used_bytes=min(recent), cap=cap, is_bound=False)
        if cap.runtime is Runtime.PHP:
            used_bytes = php_heap_bytes(pid, proc)
            return _Use(pid=pid, used_bytes=used_bytes, cap=cap, is_bound=False)
        held_as = "VmRSS" if cap.runtime is Runtime.BEAM else "RssAnon"
        held = [int(status_word(status, name)) for name in (held_as, "VmSwap")]
        return _Use(pid=pid, used_bytes=sum(held) * 1024, cap=cap, is_bound=True)


def _of_anonymous(cap: HeapCap) -> Limit:
    """Return a known limit as one on the anonymous memory: with half of the young generation.

    That is between nothing and all of it when the old one is full.
    """
    limit, source = cap.limit, f"{cap.limit.source}; {_BOUND}"
    if not cap.young_bytes or limit.value is None:
        return replace(limit, source=source)
    young = f", so half of a young generation of {cap.young_bytes >> 20} MiB is added to the cap"
    return replace(limit, value=limit.value + cap.young_bytes / 2, source=source + young)


def _nearest(caps: dict[int, HeapCap], target: TargetView) -> list[int]:
    """Return the processes that may be nearest to their cap; of those without one, the largest."""
    state = min((cap.limit.state for cap in caps.values()), key=_STATES.index)
    of_state = [pid for pid, cap in caps.items() if cap.limit.state is state]

    def room(pid: int) -> float:
        return target.stats[pid].resident_bytes / max(caps[pid].limit.value or 1.0, 1.0)

    return sorted(of_state, key=room, reverse=True)[: MOST_READ if state is LimitState.KNOWN else 1]
