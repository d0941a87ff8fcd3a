"""
Whether what was found before a run is good enough for it: numbers in, findings out.

Bounds that make a run impossible are not here: the preflight raises on them, and the examination
turns that into a finding, so that both say the same.
"""

from collections.abc import Iterable, Sequence

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.resources import AuditEntry, Limit, LimitState, Resource
from capacity.domain.run import ClockOffset
from capacity.domain.words import RESOURCES, listed
from capacity.planning.evidence.effective_limits import effective_limits

DELIVERIES_PER_S_AND_WORKER = 60_000
"""Two thirds of what a worker with a core of its own takes; README, "Measured"."""
CONNECTION_BYTES = 16 * 1024
"""A generous share of the generator: 5 KB of its own, 4 KB of the kernel's, and buffers."""
MOST_CLOCK_ERROR_S = 0.05
MOST_SAMPLE_AGE_S = 5.0
MOST_AGENT_CORES = 0.01
LEAST_CERTIFICATE_S = 14 * 86_400
LEAST_DISK_BYTES = 256 << 20
STALL_S = 0.5
"""A pause of the target's accepting that its queue should outlast: a collection, a busy loop."""
NEAR_BOUND_RATIO = 0.9


def clock(offset: ClockOffset) -> Finding:
    statement = (
        f"the agent's clock offset is {units.duration(offset.offset_s)},"
        f" ± {units.duration(offset.error_s)}"
    )
    if offset.error_s <= MOST_CLOCK_ERROR_S:
        return _ok("clock", statement)
    return _warning(
        "clock",
        f"{statement}; delays are no more accurate than that",
        "Measure from a host closer to the target",
    )


def sample_age(age_s: float, interval_s: float) -> Finding:
    statement = f"the agent's newest sample is {units.duration(max(age_s, 0.0))} old"
    if age_s <= MOST_SAMPLE_AGE_S + interval_s:
        return _ok("samples", statement)
    return _warning(
        "samples",
        f"{statement}, with a sampling interval of {units.duration(interval_s)}",
        "Check whether the agent's host is overloaded, and restart the agent",
    )


def agent_cost(cores: float | None) -> Finding:
    if cores is None:
        return Finding(
            name="agent overhead", status=Status.UNKNOWN, statement="not reported by the agent"
        )
    statement = f"the agent uses {units.share(cores)} of a core"
    if cores <= MOST_AGENT_CORES:
        return _ok("agent overhead", statement)
    return _warning("agent overhead", statement, "Sample less often: capacity agent --interval 5")


def unseen_limits(limits: Sequence[Limit], *, is_agent: bool = True) -> Finding:
    """Return which limits could not be read, so that no plan can contain them.

    *is_agent* says that an agent of ours looked, and not exporters or Prometheus.
    """
    unknown = [limit for limit in limits if limit.state is LimitState.UNKNOWN]
    if not unknown:
        return _ok("limits", f"{units.counted(len(limits), 'limit')} read, none unknown")
    names = listed([RESOURCES[limit.resource] for limit in unknown])
    reasons = "; ".join(dict.fromkeys(limit.reason or limit.source for limit in unknown))
    return _warning(
        "limits",
        f"{units.counted(len(unknown), 'limit')} of {len(limits)} unknown: {names} ({reasons})",
        _remedy_of_unseen([limit.reason or "" for limit in unknown], is_agent=is_agent),
    )


def _remedy_of_unseen(reasons: Sequence[str], *, is_agent: bool) -> str:
    """Return who is to look, and as whom, unless it is where it looks that matters."""
    declared = "declare them as limits in the target file"
    if not is_agent:
        return f"Use `capacity agent`, or {declared}"
    if all("namespace" in reason or "does not exist" in reason for reason in reasons):
        return f"Where the reason does not say what helps, {declared}"
    return f"Run the agent as the target's user or as root, or {declared}"


def application_limit(limits: Sequence[Limit]) -> Finding | None:
    """Return how many connections the application admits by its own configuration, if that is read.

    Where it is not, the plan names it among what it takes for granted.
    """
    resource = Resource.APPLICATION_CONNECTIONS
    limit = effective_limits(limits).get(resource)
    name = "application's own limit"
    if limit is None:
        return None
    if limit.state is LimitState.KNOWN and limit.value is not None:
        how = "declared as" if limit.scope == "declared" else "read from"
        return _ok(name, f"{units.counted(limit.value, 'connection')}, {how} {limit.source}")
    if limit.state is LimitState.UNLIMITED:
        return _ok(name, f"there is none, says {limit.source}")
    return _warning(
        name,
        f"unknown: {limit.reason} ({limit.source})",
        f"Run the agent as the target's user or as root, or declare limits.{resource} in the target"
        " file",
    )


def accept_queue(
    entries: Iterable[AuditEntry],
    port: int,
    connects_per_s: float,
    *,
    has_seen_ports: bool = True,
) -> Finding:
    """Return whether the target's accept queue outlasts a short pause at the profile's rate.

    *has_seen_ports* says that the agent could read where the target listens.
    """
    room = min(
        (
            entry.value
            for entry in entries
            if entry.name == f"accept queue of port {port}" and entry.value is not None
        ),
        default=None,
    )
    if room is None and not has_seen_ports:
        return Finding(
            name="accept queue",
            status=Status.UNKNOWN,
            statement="the agent may not see which sockets the target listens on",
            remedy="Run the agent as the target's user or as root",
        )
    if room is None:
        return Finding(
            name="accept queue",
            status=Status.UNKNOWN,
            statement=f"the agent sees no socket that listens on port {port}",
            remedy="Let the agent watch the process that listens there: it sees that process's network"
            " namespace only",
        )
    statement = (
        f"it holds {units.count(room)} connections, which is {units.duration(room / connects_per_s)}"
        f" at {units.rate(connects_per_s, 'connects')}"
    )
    if room >= connects_per_s * STALL_S:
        return _ok("accept queue", statement)
    return _warning(
        "accept queue",
        f"{statement}; a short stall of the target drops connects",
        f"Lower connects_per_s in the profile to {units.count(room / STALL_S)}, or raise listen(2)'s"
        " backlog and the sysctl net.core.somaxconn",
    )


def highest_level(connections: int, bound: int | None, by: str | None) -> Finding:
    """Return how far the profile's highest step goes towards what the limits admit."""
    highest = f"the highest step has {units.counted(connections, 'connection')}"
    if bound is None:
        return Finding(
            name="highest step",
            status=Status.UNKNOWN,
            statement=f"{highest}; no limit is known that says how many the target admits, to compare it with",
            remedy="Run an agent on the target's host, or declare limits in the target file",
        )
    statement = f"{highest}, the limits allow {units.count(bound)} ({by})"
    if connections <= bound * NEAR_BOUND_RATIO:
        return _ok("highest step", statement)
    return _warning(
        "highest step",
        f"{statement}: the target may refuse connections",
        "Use a profile of kind safe, or lower its levels, unless you want to break the target",
    )


def connection_tracking(sockets: int, used: int, most: int) -> Finding:
    """Return whether the generator's own kernel can track the connections."""
    statement = (
        f"the generator's kernel tracks {units.count(used)} of {units.count(most)} connections,"
        f" {units.count(sockets)} will be added"
    )
    if used + sockets <= most * NEAR_BOUND_RATIO:
        return _ok("generator's connection tracking", statement)
    return _warning(
        "generator's connection tracking",
        f"{statement}; packets beyond that are dropped silently",
        f"Set the sysctl net.netfilter.nf_conntrack_max to {units.count(2 * (used + sockets))}",
    )


def generator_memory(sockets: int, available_bytes: float) -> Finding:
    needed_bytes = sockets * CONNECTION_BYTES
    statement = (
        f"{units.counted(sockets, 'socket')} need about {units.size(needed_bytes)} of"
        f" {units.size(available_bytes)} available"
    )
    if needed_bytes <= available_bytes / 2:
        return _ok("generator's memory", statement)
    return _warning(
        "generator's memory", statement, "Add workers on other hosts (--expect-workers)"
    )


def generator_cores(workers: int, cores: int) -> Finding:
    statement = f"{units.counted(workers, 'worker')} on {units.counted(cores, 'core')}"
    if workers <= cores:
        return _ok("generator's cores", statement)
    return _warning(
        "generator's cores",
        f"{statement}: they share cores, which distorts latency",
        f"Use --workers {cores}, or workers on other hosts",
    )


def message_rate(per_connection_per_s: float, connections: int, workers: int) -> Finding:
    """Return whether the workers can take what the trial connection heard, times the connections."""
    expected_per_s = per_connection_per_s * connections
    most_per_s = workers * DELIVERIES_PER_S_AND_WORKER
    statement = (
        f"one connection received {units.rate(per_connection_per_s, 'updates')}, which makes"
        f" {units.rate(expected_per_s, 'updates')} at the highest step;"
        f" {units.counted(workers, 'worker')} can receive {units.rate(most_per_s, 'updates')}"
    )
    if expected_per_s <= most_per_s:
        return _ok("message rate", statement)
    needed = -(-expected_per_s // DELIVERIES_PER_S_AND_WORKER)
    return _warning(
        "message rate",
        f"{statement}: steps will be void",
        f"Use {units.count(needed)} workers with a core each, or fewer subscriptions_per_connection",
    )


def certificate(remaining_s: float) -> Finding:
    days = f"the target's certificate expires in {units.count(remaining_s // 86_400)} days"
    if remaining_s >= LEAST_CERTIFICATE_S:
        return _ok("certificate", days)
    return _warning("certificate", days, "Renew it: scheduled runs fail once it has expired")


def shared_host(*, is_shared: bool) -> Finding:
    if not is_shared:
        return _ok("hosts", "target and generator run on different hosts")
    return _warning(
        "hosts",
        "target and generator share a host: they compete for its cores, and ceilings of host-wide"
        " resources come out too low",
        "Run the generator on another host (config/deploy/README.md)",
    )


def disk(free_bytes: float, folder: str) -> Finding:
    statement = f"{units.size(free_bytes)} free in {folder}"
    if free_bytes >= LEAST_DISK_BYTES:
        return _ok("disk", statement)
    return _warning("disk", statement, f"Free at least {units.size(LEAST_DISK_BYTES)}")


def _ok(name: str, statement: str) -> Finding:
    return Finding(name=name, status=Status.OK, statement=statement)


def _warning(name: str, statement: str, remedy: str) -> Finding:
    return Finding(name=name, status=Status.WARNING, statement=statement, remedy=remedy)
