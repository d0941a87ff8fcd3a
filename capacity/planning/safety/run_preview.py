"""
What a profile is about to do to a target, said before it does: how far, how fast, what would stop it,
and which objectives it can answer for.
"""

import math
from collections.abc import Collection, Mapping

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES, listed
from capacity.models.latency.ceiling import FEWEST_LEVELS

_GUARDS = {
    "used_ratio": "{} utilization of a counted limit or of memory",
    "throttled_ratio": "{} of CPU quota periods throttled",
    "retransmitted_ratio": "{} TCP retransmissions",
    "memory_pressure_ratio": "{} memory pressure (PSI)",
    "failed_opens_ratio": "{} of a step's connects failing",
    "lost_ratio": "{} of a step's connections dropped by the target",
}


def levels_up_to(most: int, *, start: int, growth: float, levels: int) -> int:
    """Return how many levels a climb can take that rises by *growth* each time."""
    if most <= start:
        return 1
    return min(levels, 1 + math.ceil(math.log(most / start) / math.log(growth) - 1e-9))


def load_finding(
    most: int, by: str | None, connects_per_s: float, levels: int, *, per_client: int = 1
) -> Finding:
    """Return how many connections a profile opens, and how fast; *by* is what sets the number.

    Clients hold so many *per client* each, where several the last of them a private one.
    """
    clients = units.counted(math.ceil(most / per_client), "client")
    held = f" ({clients} of {per_client} each, one of them private)" if per_client > 1 else ""
    reason = "" if by is None else f", {by}"
    return _ok(
        "load",
        f"at most {units.counted(most, 'connection')}{held}{reason}, in up to"
        f" {units.counted(levels, 'level')}, opened at up to"
        f" {units.rate(connects_per_s, 'connects')}",
    )


def guards_finding(guards: Mapping[str, float] | None, objectives: Collection[Resource]) -> Finding:
    """Return what takes the load off before its profile is through."""
    if guards is None:
        return _ok("guards", "none: the run continues whatever happens to the target")
    bounds = [
        text.format(units.share(guards[name])) for name, text in _GUARDS.items() if name in guards
    ]
    missed = [f"a missed SLO ({listed(_named(objectives))})"] if objectives else []
    return _ok(
        "guards",
        f"the run removes its load at {listed([*bounds, 'an accept queue overflow', *missed])}",
    )


def objectives_finding(
    objectives: Mapping[Resource, tuple[float, float]],
    *,
    mix_levels: int | None,
    is_polled: bool,
    is_followed: bool,
) -> Finding | None:
    """Return whether a run can forecast its objectives (quantile and limit in seconds of each).

    *mix_levels* is how many levels with the full mix it can have; None of a search, which tries
    them out.
    """
    if not objectives:
        return None
    shown = listed(
        [
            f"{RESOURCES[resource]} p{units.number(100 * quantile)} ≤ {units.duration(limit_s)}"
            for resource, (quantile, limit_s) in objectives.items()
        ]
    )
    unmeasured = [
        resource
        for resource in objectives
        if (resource is Resource.REQUEST_LATENCY and not is_polled)
        or (resource is Resource.DELIVERY_DELAY and not is_followed)
    ]
    if unmeasured:
        return _warning(
            f"{shown}: the profile's workload does not exercise {listed(_named(unmeasured))}",
            "Set requests_per_s_per_connection (with rest in the target file), and"
            " subscriptions_per_connection (with time in the dialect), in the profile above 0",
        )
    if mix_levels is None:
        return _ok("objectives", f"{shown}: the search stops where an SLO is missed")
    if mix_levels >= FEWEST_LEVELS:
        return _ok(
            "objectives",
            f"{shown}: forecast from up to {units.counted(mix_levels, 'level')} with the full workload",
        )
    return _warning(
        f"{shown}: a forecast needs {FEWEST_LEVELS} levels with the full workload, and this profile"
        f" has {units.count(mix_levels)}",
        f"Use a profile with at least {FEWEST_LEVELS} levels, a lower start, or a target with higher"
        " limits",
    )


def _named(resources: Collection[Resource]) -> list[str]:
    return [RESOURCES[resource] for resource in resources]


def _ok(name: str, statement: str) -> Finding:
    return Finding(name=name, status=Status.OK, statement=statement)


def _warning(statement: str, remedy: str) -> Finding:
    return Finding(name="objectives", status=Status.WARNING, statement=statement, remedy=remedy)
