"""
The limit that counts: of all known limits on a resource, the smallest.

Known beats unknown (a number that was read binds whatever else there may be), unknown beats
unlimited (one open door does not tell about the other), and no limit at all is no entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from capacity.domain.resources import APPLICATION, Limit, LimitState, Resource
from capacity.domain.sample import AgentInfo
from capacity.planning.evidence.plausible import is_plausible
from capacity.planning.evidence.windows import Window


def effective_limits(limits: Sequence[Limit]) -> dict[Resource, Limit]:
    """Return one limit a resource."""
    effective: dict[Resource, Limit] = {}
    for limit in limits:
        rival = effective.get(limit.resource)
        if rival is None or _rank(limit) < _rank(rival):
            effective[limit.resource] = limit
    return effective


def limits_at(limits: Sequence[Limit], port: int | None, agent: AgentInfo | None) -> list[Limit]:
    """Return *limits* without those of other ports than the target's.

    All of them where *port* is none of those that the agent's target listens on: what passes the
    connections on does not say to which.
    """
    listening = agent.listening_ports if agent is not None else None
    if listening is None or port not in listening:
        return list(limits)
    return [limit for limit in limits if not limit.ports or port in limit.ports]


def unclear_caps(limits: Sequence[Limit], effective: Mapping[Resource, Limit]) -> list[Limit]:
    """Return the settings of the application that may bind below the one that is known."""
    return [
        limit
        for limit in limits
        if limit.scope == APPLICATION
        and limit.state is LimitState.UNKNOWN
        and effective.get(limit.resource) != limit
    ]


def limits_under_load(limits: Sequence[Limit], windows: Sequence[Window]) -> list[Limit]:
    """Return *limits* with that of descriptors as it was on the plateau with most connections.

    The agent's limits are read before the load, when the process that speaks for the target may be
    an idle master, and its workers have limits of their own.
    """
    read = [window for window in windows if window.descriptor_limit is not None]
    if not read:
        return list(limits)
    value = max(read, key=lambda window: window.load.connections).descriptor_limit
    return [
        replace(
            limit,
            state=LimitState.KNOWN,
            value=value,
            source="/proc/PID/limits: Max open files (soft) of the process that filled up",
        )
        if limit.resource is Resource.DESCRIPTORS
        and limit.scope != "declared"
        and known_value(limit) != value
        else limit
        for limit in limits
    ]


def known_value(limit: Limit | None) -> float | None:
    """Return the limit's number, None unless it is known and can be one."""
    if limit is None or limit.state is not LimitState.KNOWN or limit.value is None:
        return None
    return limit.value if is_plausible(limit.value) else None


def _rank(limit: Limit) -> tuple[int, float]:
    value = known_value(limit)
    if value is not None:
        return 0, value
    return (2 if limit.state is LimitState.UNLIMITED else 1), 0.0
