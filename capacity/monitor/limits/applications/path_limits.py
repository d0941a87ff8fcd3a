"""What the other programs on the connections' way admit: a relay in front, an upstream behind or inside.

Read when somebody asks who listens on a port, never while sampling.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from capacity.domain.errors import CapacityError
from capacity.domain.resources import Limit
from capacity.domain.sample import Destination, PortHolder
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.target import Target
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.readings import READ_ERRORS


def with_path_limits(holders: Iterable[PortHolder], port: int) -> tuple[PortHolder, ...]:
    """Return *holders* of *port* with the caps of who relays to the target, and of whom it relays to."""
    return tuple(_with_limits(holder, port) for holder in holders)


def _with_limits(holder: PortHolder, port: int) -> PortHolder:
    if holder.is_watched:
        behind = (_behind(destination) for destination in holder.destinations)
        return replace(holder, destinations=tuple(behind))
    if not any(destination.is_watched for destination in holder.destinations):
        return holder  # It has nothing to do with the target.
    who = f"{holder.name} (pid {holder.pid}), in front of the target"
    return replace(holder, limits=tuple(_caps(holder.pid, port, who)))


def _behind(destination: Destination) -> Destination:
    if destination.pid is None:
        return destination
    where = "in the target" if destination.is_watched else "behind the target"
    who = f"{destination.name} (pid {destination.pid}), {where}"
    return replace(destination, limits=tuple(_caps(destination.pid, destination.port, who)))


def _caps(pid: int, port: int, who: str) -> Iterator[Limit]:
    """Yield what the program admits on *port* by its own configuration; nothing where nobody can read it."""
    target = Target(Selector(pid=pid))
    try:
        target.resolve()
        view = target.view()
        if view is None:
            return
        with closing(TargetListeners()) as listeners:
            limits = Applications().limits(view, listeners.read(view))
    except (CapacityError, *READ_ERRORS):
        return  # It ended, or it is not ours to look into: its limits stay unseen.
    for limit in limits:
        if not limit.ports or port in limit.ports:
            yield replace(limit, ports=(), source=f"{limit.source} of {who}")
