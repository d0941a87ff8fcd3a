"""
When to stop a run before it harms its target: signs of distress in the newest samples.

Counters are compared with the first sample of the run, so that old trouble is not charged to it;
what was beyond its bound before the load is not guarded, because the load did not bring it there.
A sign that the agent cannot read guards nothing: it is missing, not good.
"""

from collections.abc import Mapping, Sequence

from capacity.domain import units
from capacity.domain.observation import CutOffKind
from capacity.domain.resource_facts import COUNTED, ONE_EACH, PROCESS_BYTES
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import Sample
from capacity.domain.words import RESOURCES
from capacity.planning.evidence.counter_growth import OWN_QUEUE, grown, own_drops
from capacity.planning.evidence.effective_limits import effective_limits, known_value
from capacity.planning.safety.share_guards import first_share
from capacity.planning.safety.trip import RECENT_SAMPLES, Bounds, Trip

UNSEEN_S = 3.0
"""Until a guard has seen what goes on now: a sample is up to a second old, is fetched a second later
at most, and what is under way then arrives after it."""
RECENT_EXITS = 6
"""Samples: what is lost is waited with for three seconds, and the agent looks once a second."""
LEAST_OPENS = 20
LEAST_LOST = 3
"""Connections; one or two may end for reasons of their own."""
_FILLING = COUNTED | PROCESS_BYTES | {Resource.MEMORY}
_QUEUE = {
    OWN_QUEUE: "its listening sockets dropped connects",
    "listen_overflows": "an accept queue in its network namespace overflowed",
    "listen_drops": "a listening socket in its network namespace dropped connects",
    "tcp_memory_pressures": "its kernel ran short of TCP memory",
}


_OF_ALL_LISTENERS = frozenset({"listen_overflows", "listen_drops"})
"""Of the whole network namespace: they tell of others as well where the target's own are known."""


def tripped(
    samples: Sequence[Sample],
    limits: Sequence[Limit],
    bounds: Bounds,
    *,
    unloaded: int = 0,
    since: int = 0,
    forgiven: int = 0,
) -> Trip | None:
    """Return the first guard that the newest of a run's *samples* trip, None while all is well.

    The first *unloaded* of them were taken before there was any load; rates are taken from sample
    *since* on. What queues did before sample *forgiven* has been answered already.
    """
    if len(samples) < 2:
        return None
    first, newest = samples[0], samples[-1]
    if first.target_started_at != newest.target_started_at:
        return None  # Another process counts anew; the record says that it was restarted.
    return (
        overflow(samples[min(forgiven, len(samples) - 1)], newest)
        or full(samples, limits, bounds.used_ratio)
        or first_share(samples, limits, bounds, unloaded, max(since, forgiven))
    )


def dead(samples: Sequence[Sample], pids: Sequence[int], connections: int) -> Trip | None:
    """Return the trip of a target whose process is another than at first, or gone, None while it lives.

    *connections* were open when it was last seen alive. One that had *pids* and is in no sample was gone
    before its first one.
    """
    starts = [sample.target_started_at for sample in samples]
    was_never_seen = starts.count(None) == len(starts)
    if not starts or (not pids if was_never_seen else starts[0] in {None, starts[-1]}):
        return None
    named = f", pid {', '.join(map(str, pids))}," if pids else ""
    again = " and was restarted" if starts[-1] is not None else ""
    at = f"exited{again} at about {units.counted(connections, 'connection')}"
    return Trip(
        guard="death",
        number=connections,
        bound=0.0,
        statement=f"the target{named} "
        + ("had exited before it was loaded" if was_never_seen else at),
        kind=CutOffKind.DIED,
    )


def exit_clause(samples: Sequence[Sample]) -> str:
    """Return that a process of the target which held connections ended in the newest of a run's *samples*.

    Empty where none is known to. Where others of the target live on, as what starts it again, that is no exit of the target.
    """
    recent = samples[-RECENT_EXITS - 1 :]
    exited = grown(recent[0], recent[-1], "filled_processes_exited", least=1.0) if recent else None
    if exited is None:
        return ""
    which = (
        "the process that held them" if exited == 1.0 else f"{exited:.0f} processes that held some"
    )
    return f"; {which} exited, and the rest of the target lives on"


def losing(lost: int, connections: int, bounds: Bounds) -> Trip | None:
    """Return the guard that connections trip which the target ended, of a step with *connections*."""
    bound = bounds.lost_ratio * connections
    if lost < LEAST_LOST or lost <= bound:
        return None
    # What was open is known late, and who comes back may be lost again.
    told = units.count(min(lost, connections))
    return Trip(
        guard="loss",
        number=lost,
        bound=bound,
        statement=f"the target dropped {told} of {units.counted(connections, 'connection')}"
        f" (bound {units.share(bounds.lost_ratio)})",
        kind=CutOffKind.LOST,
    )


def overreaching(
    samples: Sequence[Sample],
    limits: Sequence[Limit],
    bounds: Bounds,
    *,
    sockets: int,
    sockets_now: int,
) -> Trip | None:
    """Return the guard that a step of that many sockets would trip, None if it may begin.

    A socket takes what those before took, or one unit of what each takes one of: a fast ramp would
    be through a limit before the next sample.
    """
    before, now = _readings(samples[:RECENT_SAMPLES]), _readings(samples[-RECENT_SAMPLES:])
    for resource, limit in effective_limits(limits).items():
        most = known_value(limit)
        if resource not in _FILLING or not most or resource not in now or resource not in before:
            continue
        each = 1.0 if resource in ONE_EACH else 0.0
        if sockets_now >= LEAST_OPENS:
            each = max(0.0, now[resource] - before[resource]) / sockets_now
        due = now[resource] + each * (sockets - sockets_now)
        if before[resource] <= bounds.used_ratio * most < due:
            return Trip(
                guard="limit",
                number=due,
                bound=bounds.used_ratio * most,
                statement=f"{RESOURCES[resource]}: {units.counted(sockets, 'socket')} would use "
                f"{units.amount(due, resource)} of {units.amount(most, resource)} "
                f"(bound {units.share(bounds.used_ratio)})",
            )
    return None


def refusing(failed: int, opened: int, bounds: Bounds) -> Trip | None:
    """Return the guard that too many failed attempts to connect trip, of one step."""
    asked = failed + opened
    if asked < LEAST_OPENS or failed <= asked * bounds.failed_opens_ratio:
        return None
    return Trip(
        guard="refusal",
        number=failed,
        bound=asked * bounds.failed_opens_ratio,
        statement=f"{units.count(failed)} of {units.counted(asked, 'connection')} failed to open"
        f" (bound {units.share(bounds.failed_opens_ratio)})",
        kind=CutOffKind.REFUSED,
    )


def overflow(first: Sample, newest: Sample) -> Trip | None:
    """Return the trip of a queue that overflowed between two samples, None where none did."""
    own = own_drops(first, newest)
    for counter, what in _QUEUE.items():
        if own is not None and counter in _OF_ALL_LISTENERS:
            continue
        times = own if counter == OWN_QUEUE else grown(first, newest, counter)
        if times is not None and times > 0:
            statement = f"{what} {units.counted(times, 'time')}"
            return Trip(guard="overflow", number=times, bound=0.0, statement=statement)
    return None


def full(samples: Sequence[Sample], limits: Sequence[Limit], bound: float) -> Trip | None:
    """Return the trip of a limit whose use passed that share of it in the run, None where none did."""
    before, now = _readings(samples[:RECENT_SAMPLES]), _readings(samples[-RECENT_SAMPLES:])
    for resource, limit in effective_limits(limits).items():
        most = known_value(limit)
        if resource not in _FILLING or not most or resource not in now or resource not in before:
            continue
        if before[resource] <= bound * most < now[resource]:
            return Trip(
                guard="limit",
                number=now[resource],
                bound=bound * most,
                statement=f"{RESOURCES[resource]}: {units.amount(now[resource], resource)} of"
                f" {units.amount(most, resource)} in use (bound {units.share(bound)})",
                resource=resource,
            )
    return None


def hurrying(samples: Sequence[Sample], limits: Sequence[Limit]) -> Trip | None:
    """Return what grows so fast that its limit would be met before a guard could see it coming."""
    if len(samples) < 2 or samples[-1].at <= samples[-2].at:
        return None
    before, now = samples[-2:]
    for resource, limit in effective_limits(limits).items():
        most, was, used = known_value(limit), before.used.get(resource), now.used.get(resource)
        if resource not in _FILLING or not most or was is None or used is None or used >= most:
            continue
        per_s = (used - was) / (now.at - before.at)
        if used + UNSEEN_S * per_s > most:
            return Trip(
                guard="pace",
                number=per_s,
                bound=(most - used) / UNSEEN_S,
                statement=f"{RESOURCES[resource]}: {units.amount(used, resource)} of"
                f" {units.amount(most, resource)} in use, rising by"
                f" {units.amount(per_s, resource)} per second",
                resource=resource,
            )
    return None


def _readings(samples: Sequence[Sample]) -> Mapping[Resource, float]:
    used: dict[Resource, float] = {}
    for sample in samples:
        used.update(sample.used)
    return used
