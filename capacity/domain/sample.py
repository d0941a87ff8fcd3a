"""What the agent says: once about the target and its limits, then sample by sample."""

from collections.abc import Mapping
from dataclasses import dataclass

from capacity.domain.resources import Limit, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInfo:
    """The answer of /v1/info: who is watched, on what, and within which limits."""

    agent_version: str
    host: str
    kernel: str
    cores: int
    memory_bytes: int
    boot_id: str
    target_name: str
    target_pids: tuple[int, ...]
    target_started_at: float
    """Start of the target's first process, epoch seconds of the agent's clock."""
    limits: tuple[Limit, ...]
    now: float
    """The agent's clock when it answered, epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading of all collectors. What could not be read is in `missing`, never zero."""

    seq: int
    at: float
    """Epoch seconds of the agent's clock at the end of the reading."""
    interval_s: float
    """Monotonic time since the sample before: what the rates in `used` are averaged over."""
    used: Mapping[Resource, float]
    """Usage in the resource's unit."""
    gauges: Mapping[str, float]
    """Further readings by name with unit: accept_queue, accept_queue_limit, sockets_established,
    kernel_slab_bytes, resident_bytes, cgroup_memory_bytes, cgroup_memory_peak_bytes,
    cpu_system_ratio, agent_cpu_cores, fullest_process_descriptors_limit."""
    counters: Mapping[str, float]
    """Cumulative counts by name: listen_overflows, listen_drops, retransmits, network_rx_bytes,
    network_tx_bytes."""
    missing: Mapping[str, str]
    """Name of a resource, gauge or counter that is absent -> why."""
    target_started_at: float | None
    """Changes when the target restarts; None while it is gone."""
