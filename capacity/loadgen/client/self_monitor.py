"""How hard this process works: timer lag, CPU and descriptors. The generator may be the limit."""

import os
import time
from collections.abc import Callable

import gevent

from capacity.loadgen.wire.process_limits import descriptor_limit

TIMER_INTERVAL_S = 0.05
MOST_READINGS = 5
AT_ONCE_S = 0.001
"""Two clocks read within this are read at one moment; a busy host may stop a process between them."""


class SelfMonitor:
    """Sleeps for short intervals and notes how late it wakes: what every timer here suffers."""

    def __init__(self, on_lag: Callable[[int], None]) -> None:
        self._on_lag = on_lag
        self._cpu_s = time.process_time()
        self._at_s = time.monotonic()
        self._greenlet = gevent.spawn(self._watch_timer)

    def _watch_timer(self) -> None:
        while True:
            before_s = time.monotonic()
            gevent.sleep(TIMER_INTERVAL_S)
            late_s = time.monotonic() - before_s - TIMER_INTERVAL_S
            self._on_lag(max(0, round(late_s * 1e6)))

    def cpu_ratio(self) -> float:
        """Return the cores this process used since the last call."""
        cpu_s, at_s = time.process_time(), time.monotonic()
        ratio = (cpu_s - self._cpu_s) / max(at_s - self._at_s, 1e-6)
        self._cpu_s, self._at_s = cpu_s, at_s
        return ratio

    def stop(self) -> None:
        self._greenlet.kill(block=False)


class ClockWatch:
    """Notices when the host's clock is set: delays that are measured across such a moment are wrong."""

    def __init__(self) -> None:
        self._ahead_s = _ahead_s()

    def set_s(self) -> float:
        """Return by how much the clock was set since the last call, in seconds."""
        ahead_s = _ahead_s()
        set_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        return set_s


def _ahead_s() -> float:
    """Return the clock on the wall less the monotonic one, from the quickest of a few readings of both."""
    readings = []
    for _ in range(MOST_READINGS):
        before_s, wall_s, after_s = time.monotonic(), time.time(), time.monotonic()
        took_s = after_s - before_s
        readings.append((took_s, wall_s - (before_s + after_s) / 2))
        if took_s < AT_ONCE_S:
            break
    return min(readings)[1]


def descriptors_ratio() -> float:
    """Return the used share of this process's descriptors."""
    used = os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd"))  # noqa: PTH116, PTH208 - size 0 before Linux 6.2
    return used / descriptor_limit()
