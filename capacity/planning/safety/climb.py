"""
How far an experiment may go next: decided after each level from the plan of what was seen so far.

The next level is at most `fraction` of the lowest lower bound of every ceiling that is known by now, and
at most `growth` times the level before. Where uncertainty alone holds it back, it goes up a little, as
long as the middle of that ceiling allows it. It ends where those bounds do, or where the answer is as
sharp as another level could make it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.caveats import FARTHEST_RATIO
from capacity.domain.plan import CapacityPlan, Excuse, NextLevel, Wall
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.models.uncertainty.intervals import form_of, form_sigma
from capacity.planning.bottlenecks.latency_objectives import latency_uses
from capacity.planning.evidence.effective_limits import known_value
from capacity.planning.evidence.windows import is_usable
from capacity.planning.safety.opening_pace import OpeningPace

GROWTH = 3.0
"""From a level to the next one, as the shipped profiles have it."""
CAUTIOUS_GROWTH = 2.0
"""Where a bound is held back by its own uncertainty."""
LEAST_GROWTH = 1.1
"""A level nearer than this to the one before tells nothing new."""
SHARP_RATIO = 0.01
"""Half width of the interval: an answer as sharp as this needs no further level."""
LONGEST_RAMP_S = 60.0
"""A level takes no longer to open at the pace of the one before."""
FARTHEST = 10**9
"""Connections: more than any level has."""
_Z_95 = 1.645


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a profile and the generator allow."""

    start: int
    growth: float
    fraction: float
    levels: int
    longest_s: float
    """Time after which no further level begins."""
    most: int
    """Connections, whatever the plan says: what the limits read before the load admit, times the
    fraction, and what the generator has room for."""
    most_by: str
    """What sets that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """The next level, or None with the reason why there is none."""

    connections: int | None
    reason: str


def first_level(rules: Rules) -> int:
    return max(1, min(rules.start, rules.most))


def next_climb(
    record: RunRecord,
    answer: CapacityPlan | Excuse,
    rules: Rules,
    levels: Sequence[int],
    *,
    pace: OpeningPace,
    used_s: float = 0.0,
) -> Climb:
    """Return what follows *levels*, of which *answer* is the plan.

    A level takes no longer than LONGEST_RAMP_S to be opened at *pace*; *used_s* is what the levels took.
    """
    level = levels[-1]
    over = _over(answer, rules, levels, pace, used_s)
    if over is not None:
        return Climb(connections=None, reason=over)
    most_at_pace = math.floor(min(level + pace.per_s * LONGEST_RAMP_S, float(FARTHEST)))
    allowed = {
        rules.most_by: (float(rules.most), float(rules.most)),
        pace.by: (float(most_at_pace), float(most_at_pace)),
        **{
            name: (rules.fraction * low, rules.fraction * mid)
            for name, (low, mid) in ceilings_so_far(record, answer).items()
        },
    }
    by = min(allowed, key=lambda name: allowed[name])
    least, middle = allowed[by]
    most = max(least, min(*(mid for _, mid in allowed.values()), CAUTIOUS_GROWTH * level))
    count = math.floor(min(rules.growth * level, most))
    if count < LEAST_GROWTH * level:
        return Climb(connections=None, reason=_too_near(level, rules, by, middle, pace))
    if count == math.floor(rules.growth * level):
        by = f"the profile's growth, {units.number(rules.growth)} times the level before"
    return Climb(connections=count, reason=f"bounded by {by}")


def _over(
    answer: CapacityPlan | Excuse,
    rules: Rules,
    levels: Sequence[int],
    pace: OpeningPace,
    used_s: float,
) -> str | None:
    """Return why no level follows, whatever its size; None where one may."""
    level = levels[-1]
    if level >= rules.most:
        return f"reached the bound set by {rules.most_by}: {rules.most} connections"
    if len(levels) >= rules.levels:
        return f"all {units.counted(rules.levels, 'level')} of the profile are done"
    if used_s >= rules.longest_s:
        limit = units.duration(rules.longest_s)
        return f"the profile's time limit of {limit} is reached{_of_it_lost(pace)}"
    if isinstance(answer, CapacityPlan) and _is_sharp(answer):
        return "another level would not narrow the interval"
    return None


def _too_near(level: int, rules: Rules, by: str, middle: float, pace: OpeningPace) -> str:
    """Return why the next level would tell nothing new."""
    if by == pace.by:
        more = units.counted(math.floor(middle) - level, "connection")
        return (
            f"only {more} more would be open in {units.duration(LONGEST_RAMP_S)}, because of {by}"
        )
    return (
        f"{units.counted(level, 'connection')} is as close as is safe to {units.share(rules.fraction)} of"
        f" the ceiling of {by} (estimate {units.about(middle / rules.fraction) if middle else 0})"
    )


def _of_it_lost(pace: OpeningPace) -> str:
    if pace.lost_s < 1.0:
        return ""
    return f", {units.duration(pace.lost_s)} of it lost while connections opened slowly; last by {pace.by}"


def ceilings_so_far(
    record: RunRecord, answer: CapacityPlan | Excuse
) -> Mapping[str, tuple[float, float]]:
    """Return the lower bound and the middle of every ceiling that is known, by its name."""
    found: dict[str, tuple[float, float]] = {}
    if isinstance(answer, CapacityPlan):
        for wall in answer.ladder:
            found[RESOURCES[wall.resource]] = (wall.ceiling.low, wall.ceiling.mid)
    for name, bound in _objectives_so_far(record).items():
        low, mid = found.get(name, (math.inf, math.inf))
        found[name] = (min(low, bound), min(mid, bound))
    return found


def _objectives_so_far(record: RunRecord) -> dict[str, float]:
    """Return what each objective admits if its percentile grows in proportion to the connections.

    A percentile that begins above zero grows more slowly; only a fraction of this is used.
    """
    steps = {step.index for step in record.steps if is_usable(step)}
    bounds: dict[str, float] = {}
    for use in latency_uses(record, steps):
        limit_s = known_value(use.limit)
        if limit_s is None or not use.connections:
            continue
        bounds[RESOURCES[use.limit.resource]] = use.connections[-1] * limit_s / use.tails_s[-1]
    return bounds


def next_level(answer: CapacityPlan, growth: float = GROWTH) -> NextLevel | None:
    """Return what a level *growth* times the highest would bring; None where it would bring nothing.

    The part of the interval that comes from the noise of the fit shrinks as the level grows, the part
    that comes from the form of the law as the extrapolation does.
    """
    if answer.met is not None or not answer.ladder:
        return None
    wall = answer.ladder[0]
    now, highest = half_width_ratio(answer), answer.highest_connections
    level = math.floor(min(growth * highest, wall.ceiling.low))
    if not SHARP_RATIO < now < math.inf or level <= highest:
        return None
    then = _expected(wall, now, highest, level)
    return NextLevel(connections=level, half_width_ratio=then) if then < now else None


def half_width_ratio(answer: CapacityPlan) -> float:
    capacity = answer.capacity
    if not math.isfinite(capacity.high) or capacity.mid <= 0.0:
        return math.inf
    return (capacity.high - capacity.low) / 2.0 / capacity.mid


def _expected(wall: Wall, half_width: float, highest: int, level: int) -> float:
    form, mid = form_of(wall.resource), wall.ceiling.mid
    of_form = _Z_95 * form_sigma(form, mid / highest)
    of_noise = math.sqrt(max(0.0, half_width**2 - of_form**2)) * highest / level
    return math.hypot(of_noise, _Z_95 * form_sigma(form, mid / level))


def _is_sharp(answer: CapacityPlan) -> bool:
    """Tell whether another level would change nothing: a counted limit, no other one near it, and the
    application's own cap is known.
    """
    if answer.binding not in COUNTED or half_width_ratio(answer) > SHARP_RATIO:
        return False
    if not any(wall.resource is Resource.APPLICATION_CONNECTIONS for wall in answer.ladder):
        return (
            False  # A cap that nobody declared may lie between, and only more connections show it.
        )
    reach = FARTHEST_RATIO * answer.highest_connections
    behind = [wall for wall in answer.ladder if wall.resource is not answer.binding]
    near = [wall for wall in behind if wall.ceiling.low < 2.0 * answer.capacity.high]
    return answer.capacity.high <= reach and not near and not answer.met
