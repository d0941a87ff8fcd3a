"""How near each guard of a run is to taking the load off, for who watches the run."""

from collections.abc import Sequence

from capacity.domain import units
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import Sample
from capacity.domain.words import RESOURCES
from capacity.planning.evidence.effective_limits import effective_limits, known_value
from capacity.planning.safety.share_guards import share_readings, whose_segments
from capacity.planning.safety.trip import RECENT_SAMPLES, Bounds, Trip

_FILLING = COUNTED | {Resource.MEMORY}


def guard_readings(
    samples: Sequence[Sample],
    limits: Sequence[Limit],
    bounds: Bounds,
    *,
    connections: int,
    lost: int,
    refused: int,
    asked: int,
) -> list[Trip]:
    """Return what each guard reads now, the nearest to its bound first.

    Of the step under way *connections* were open at most, *lost* ended by the target, and *refused*
    of the *asked* ones not let in.
    """
    readings = [
        Trip(
            guard="loss",
            number=lost / connections if connections else 0.0,
            bound=bounds.lost_ratio,
            statement=f"the target dropped {units.count(lost)} of {units.counted(connections, 'connection')}"
            f" (bound {units.share(bounds.lost_ratio)})",
        ),
    ]
    if asked:
        readings.append(
            Trip(
                guard="refusal",
                number=refused / asked,
                bound=bounds.failed_opens_ratio,
                statement=f"{units.count(refused)} of {units.counted(asked, 'connection')} failed to"
                f" open (bound {units.share(bounds.failed_opens_ratio)})",
            )
        )
    recent = samples[-RECENT_SAMPLES - 1 :]
    if (fullest := _fullest(recent, limits, bounds.used_ratio)) is not None:
        readings.append(fullest)
    if recent:
        readings += share_readings((recent[0], recent[-1]), limits, bounds, whose_segments(samples))
    return sorted(readings, key=lambda reading: reading.number / reading.bound, reverse=True)


def _fullest(samples: Sequence[Sample], limits: Sequence[Limit], bound: float) -> Trip | None:
    now: dict[Resource, float] = {}
    for sample in samples:
        now |= sample.used
    shares = [
        (now[resource] / most, resource, most)
        for resource, limit in effective_limits(limits).items()
        if resource in _FILLING and resource in now and (most := known_value(limit))
    ]
    if not shares:
        return None
    ratio, resource, most = max(shares)
    return Trip(
        guard="limit",
        number=ratio,
        bound=bound,
        statement=f"{RESOURCES[resource]}: {units.amount(now[resource], resource)} of"
        f" {units.amount(most, resource)} in use (bound {units.share(bound)})",
    )
