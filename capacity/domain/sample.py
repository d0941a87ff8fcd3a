"""What the agent says: once about the target and its limits, then sample by sample."""

from collections.abc import Mapping
from dataclasses import dataclass

from capacity.domain.resources import AuditEntry, Limit, Resource

NO_AGENT = "none, but "
"""Begins the version of an agent where none of ours tells; what does follows."""


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
    audit: tuple[AuditEntry, ...] = ()
    """Every limit in every place it is set; empty from agents that did not look."""
    threads_per_core: int | None = None
    """Hardware threads that share a core; None where the host does not tell."""
    notes: tuple[str, ...] = ()
    """What is not as it should be with the agent itself: it samples more rarely than asked, the
    host's clock was set, its spool is full."""
    listening_ports: tuple[int, ...] | None = None
    """TCP ports that the target listens on; None from who did not look."""
    relay: str | None = None
    """Who passes the clients' connections on to the target, as a sentence calls it; found by a trial
    before the run, None where nobody was."""
    passes_on_to: str | None = None
    """Where the target itself passes them on to, found likewise."""
    path_limits: tuple[Limit, ...] = ()
    """What either of them admits by its own configuration, found likewise; none that could be read."""

    @property
    def is_agent(self) -> bool:
        """Tell whether an agent of ours says it, and not exporters or Prometheus."""
        return not self.agent_version.startswith(NO_AGENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a process connects to, and who answers there as far as its host shows."""

    address: str
    """Of a Unix-domain socket, "unix:" and its name."""
    port: int
    """0 where the address is a Unix-domain socket's."""
    connections: int
    pid: int | None = None
    name: str | None = None
    is_watched: bool = False
    limits: tuple[Limit, ...] = ()
    """What it admits there by its own configuration; read where the target passes connections on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortHolder:
    """A process that listens on a port of the target's host."""

    pid: int
    name: str
    is_watched: bool
    destinations: tuple[Destination, ...] = ()
    """The ones with most connections first; from here a relay passes on what it accepts."""
    limits: tuple[Limit, ...] = ()
    """What it admits on the port by its own configuration; read of who passes connections on to the
    target."""


RESIDENT = "resident"
"""The account of what the target's processes have resident, added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReading:
    """Use of memory and the kernel's mark of its highest, both of one and the same account.

    What is charged to another account, such as a cgroup that the target lives in without being
    limited by it, holds the memory of others and is not in here.
    """

    account: str
    """RESIDENT, or the directory of the cgroup whose limit is nearest."""
    use_bytes: float
    """What counts against the limit: of a cgroup what the kernel charges, without file cache."""
    charged_bytes: float
    """The same as the kernel's mark counts it: of a cgroup with all file cache."""
    high_water_bytes: float
    """The most that was ever charged, since the process or the cgroup began. How much of it falls
    into a step shows only where it rose meanwhile."""


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
    """Further readings by name with unit, such as accept_queue, sockets_established,
    resident_bytes, cpu_system_ratio, agent_cpu_cores, fullest_process_descriptors_limit; each
    collector names its own. A reading that is too dear for every sample is in those samples only in
    which it was taken; its NAME_interval_s says how long until the next."""
    counters: Mapping[str, float]
    """Cumulative counts by name, such as listen_overflows, retransmits, network_tx_bytes."""
    missing: Mapping[str, str]
    """Name of a resource, gauge or counter that is absent -> why."""
    target_started_at: float | None
    """Changes when the target restarts; None while it is gone."""
    memory: MemoryReading | None = None
    """The account behind the use of memory; None where the kernel keeps no mark of it, and from
    sources that do not publish it."""
