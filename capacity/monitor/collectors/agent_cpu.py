"""What the agent itself costs, so that nobody has to believe it is cheap."""

import time
from collections.abc import Callable

from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.readings import Reading


class AgentCpuCollector(HostCollector):
    provides = ("agent_cpu_cores",)

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._spent_s = time.process_time()
        self._read_at_s = clock_s()

    def collect(self) -> Reading:
        spent_s, now_s = time.process_time(), self._clock_s()
        cores = (spent_s - self._spent_s) / (now_s - self._read_at_s)
        self._spent_s, self._read_at_s = spent_s, now_s
        return Reading(gauges={"agent_cpu_cores": cores})
