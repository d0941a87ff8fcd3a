"""The agent's own sampler, in the measuring process: for a target on the generator's host.

It takes a sample when it is asked and one is due. That stops this process for the few milliseconds
that reading /proc takes, which an agent beside it would not do.
"""

import platform
import time

from capacity.domain.errors import PreflightError
from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, PortHolder, Sample
from capacity.monitor.collectors.agent_cpu import AgentCpuCollector
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.port_holders import port_holders
from capacity.monitor.host.target import Target
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.limits.applications.path_limits import with_path_limits
from capacity.monitor.limits.audit import audit
from capacity.monitor.sampler import Sampler
from capacity.monitor.serving.store import agent_info

_INTERVAL_S = 0.9
"""A little less than the second at which the recorder asks."""
_KEEP = 3600


class LocalSampler:
    """Watches who listens on *port* of this host."""

    delay_s = 1.0

    def __init__(self, port: int) -> None:
        """Raises UnreachableError when nobody listens there, PreflightError beyond Linux."""
        if platform.system() != "Linux":
            raise PreflightError("agent.local reads /proc: it needs a Linux host")
        self.name = f"the sampler of port {port}"
        target = Target(Selector(port=port))
        target.resolve()
        self._listeners = listeners = TargetListeners()
        applications = Applications()
        self._sampler = Sampler(
            target,
            target_collectors(listeners, applications),
            [each for each in host_collectors() if not isinstance(each, AgentCpuCollector)],
            lambda view: audit(view, listeners.latest, applications.entries),
            lambda: listeners.ports,
        )
        self._sampler.prime()
        self._taken_s = time.monotonic()
        self._samples: list[Sample] = []

    def info(self) -> AgentInfo:
        return agent_info(self._sampler)

    def clock_offset(self) -> ClockOffset:
        return ClockOffset(offset_s=0.0, error_s=0.0)

    def samples(self, since: int) -> list[Sample]:
        """Return the samples after *since*; take one more when it is due."""
        if not self._samples or time.monotonic() - self._taken_s >= _INTERVAL_S:
            self._taken_s = time.monotonic()
            self._samples = [*self._samples[1 - _KEEP :], self._sampler.sample()]
        return [sample for sample in self._samples if sample.seq > since]

    def port_holders(self, port: int) -> tuple[PortHolder, ...] | None:
        view = self._sampler.view
        return None if view is None else with_path_limits(port_holders(port, view), port)

    def close(self) -> None:
        self._listeners.close()
