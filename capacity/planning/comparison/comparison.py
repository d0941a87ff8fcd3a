"""
A run, or several, against a baseline: what changed, how surely, and whether that is a regression.

The chance that a change is real must reach 1 − 1 %/m for m figures that are judged (Bonferroni), so
that all of them together cry wolf once in a hundred comparisons, and the change must be large enough
to matter.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capacity.domain.answers.comparison import Change, Comparison, Outcome
from capacity.domain.caveats import DoubtKind
from capacity.domain.errors import RunInvalidError
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import Wall
from capacity.domain.resource_facts import COUNTED, UNITS
from capacity.domain.resources import Resource
from capacity.models.contrasts import pooled_error
from capacity.models.uncertainty.significance import Shift, Side, shift
from capacity.planning.comparison.comparable import circumstances, difference
from capacity.planning.comparison.cost_shifts import cost_change, cost_shifts
from capacity.planning.comparison.delays import delay_changes
from capacity.planning.comparison.limits import limit_changes
from capacity.planning.comparison.run_costs import MeasuredRun, ResourceLine, resource_lines

FALSE_ALARMS = 0.01
"""Of comparisons in which nothing changed."""
LEAST_EFFECT_RATIO = 0.01
_TWO_SIDED_90 = 1.6449
_OTHER_LOAD_RATIO = 0.1
_DELAYS = 3
_OF_A_WHOLE_NUMBER = 12.0**-0.5
"""Standard deviation of what rounding takes away."""

Lines = Sequence[Mapping[Resource, ResourceLine]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    before: Sequence[MeasuredRun]
    after: Sequence[MeasuredRun]
    lines_before: Lines
    lines_after: Lines


def compare(
    after: Sequence[MeasuredRun],
    before: Sequence[MeasuredRun],
    *,
    least_effect_ratio: float = LEAST_EFFECT_RATIO,
    run_noise_ratio: float = 0.0,
) -> Comparison:
    """Return what changed from *before* to *after*; each side has one run or more.

    *run_noise_ratio* is what costs and capacity of one build differ by from run to run, as a standard
    deviation; several runs a side show it themselves.

    Raises RunInvalidError, naming the difference, where they may not be compared, and the run that is
    there twice: beside itself it would show that nothing changed.
    """
    runs = [run.record.manifest for run in (*before, *after)]
    name, times = Counter(run.run for run in runs).most_common(1)[0]
    if times > 1:
        raise RunInvalidError(
            f"these runs cannot be compared: {name} is among them {times} times; name each run once"
        )
    for other in runs[1:]:
        found = difference(runs[0], other)
        if found is not None:
            raise RunInvalidError(f"these runs cannot be compared: {found}")
    sides = _Sides(
        before=before,
        after=after,
        lines_before=[resource_lines(run.record, list(UNITS)) for run in before],
        lines_after=[resource_lines(run.record, list(UNITS)) for run in after],
    )
    shifts = cost_shifts(sides.lines_before, sides.lines_after, _mean_mix(before), run_noise_ratio)
    judged = sum(each.is_judged for each in shifts) + _DELAYS + 1
    chance_needed = 1.0 - FALSE_ALARMS / judged
    capacity = _capacity_changes(sides, chance_needed, least_effect_ratio, run_noise_ratio)
    costs = tuple(cost_change(each, chance_needed, least_effect_ratio) for each in shifts)
    records = [[run.record for run in side] for side in (before, after)]
    delays = tuple(delay_changes(records[0], records[1], chance_needed))
    limits = limit_changes(before, after)
    outcomes = [each.outcome for each in (*capacity, *costs, *delays)]
    return Comparison(
        runs=tuple(run.plan.run for run in after),
        baselines=tuple(run.plan.run for run in before),
        outcome=_overall([*outcomes, *(each.outcome for each in limits)]),
        bottleneck=(_bottleneck(before), _bottleneck(after)),
        capacity=capacity,
        costs=costs,
        limits=limits,
        delays=delays,
        chance_needed=chance_needed,
        least_effect_ratio=least_effect_ratio,
        caveats=(*_caveats(before, after, run_noise_ratio), *circumstances(runs)),
    )


def _overall(outcomes: Sequence[Outcome]) -> Outcome:
    for outcome in (Outcome.REGRESSION, Outcome.IMPROVEMENT, Outcome.CHANGED):
        if outcome in outcomes:
            return outcome
    return Outcome.NO_CHANGE


def _bottleneck(side: Sequence[MeasuredRun]) -> Resource:
    return Counter(run.plan.binding for run in side).most_common(1)[0][0]


def _mean_mix(side: Sequence[MeasuredRun]) -> LoadVector:
    mixes = [run.plan.mix for run in side]

    def mean(name: str) -> float:
        return sum(float(getattr(mix, name)) for mix in mixes) / len(mixes)

    return LoadVector(
        connections=1.0,
        deliveries_per_s=mean("deliveries_per_s"),
        delivered_bytes_per_s=mean("delivered_bytes_per_s"),
        requests_per_s=mean("requests_per_s"),
        handshakes_per_s=mean("handshakes_per_s"),
    )


def _capacity_changes(
    sides: _Sides, chance_needed: float, least_effect_ratio: float, run_noise_ratio: float
) -> tuple[Change, ...]:
    """Return the change of the capacity, and the safe capacity beside it.

    The error is that of the line of each run's bottleneck; what a straight line misses on the way
    to the limit is the same on both sides, and no part of it.
    """
    errors, degrees = _pooled(sides)
    before, after = (
        Side(
            values=[math.log(max(run.plan.capacity.mid, 1.0)) for run in side],
            errors=[
                math.hypot(_capacity_error(run, line, errors), run_noise_ratio)
                for run, line in zip(side, lines, strict=True)
            ],
        )
        for side, lines in (
            (sides.before, sides.lines_before),
            (sides.after, sides.lines_after),
        )
    )
    moved = shift(before, after, degrees)
    safe = [
        sum(run.plan.safe_capacity for run in side) / len(side)
        for side in (sides.before, sides.after)
    ]
    return (
        Change(
            figure="capacity.mid",
            unit="connections",
            baseline=math.exp(before.mean),
            current=math.exp(after.mean),
            ratio=_ratio(moved),
            chance=moved.chance,
            seen_from_ratio=-math.expm1(-moved.seen_from(chance_needed)),
            outcome=_judged(moved, chance_needed, least_effect_ratio),
        ),
        Change(
            figure="capacity.safe",
            unit="connections",
            baseline=safe[0],
            current=safe[1],
            ratio=Estimate.exactly(safe[1] / safe[0]) if safe[0] > 0.0 else None,
            chance=None,
            seen_from_ratio=None,
            outcome=Outcome.NO_CHANGE,
            is_judged=False,
            note="the lower end of an interval, not judged",
        ),
    )


def _judged(moved: Shift, chance_needed: float, least_effect_ratio: float) -> Outcome:
    difference_log = moved.difference.mid
    is_large = abs(math.expm1(difference_log)) >= least_effect_ratio
    if not is_large or moved.chance < chance_needed:
        return Outcome.NO_CHANGE
    return Outcome.REGRESSION if difference_log < 0.0 else Outcome.IMPROVEMENT


def _ratio(moved: Shift) -> Estimate:
    ends = moved.difference
    return Estimate(
        low=math.exp(ends.low),
        mid=math.exp(ends.mid),
        high=math.exp(ends.high),
        confidence=ends.confidence,
    )


def _pooled(sides: _Sides) -> tuple[dict[Resource, float], int]:
    """Return the relative error of a step in each resource that every run read, and the degrees."""
    runs = [*sides.lines_before, *sides.lines_after]
    errors, degrees = {}, []
    for resource in UNITS:
        if not all(resource in run for run in runs):
            continue
        pooled = pooled_error([run[resource].line for run in runs])
        if pooled is not None:
            errors[resource] = pooled[0]
            degrees.append(pooled[1])
    return errors, min(degrees, default=1)


def _capacity_error(
    run: MeasuredRun, lines: Mapping[Resource, ResourceLine], errors: Mapping[Resource, float]
) -> float:
    """Return the standard error of the logarithm of the run's capacity."""
    binding = run.plan.ladder[0] if run.plan.ladder else None
    if binding is not None and binding.resource in errors and run.plan.met is None:
        error = _line_error(binding, lines[binding.resource], run.plan.mix)
        if error is not None:
            return math.hypot(errors[binding.resource] * error, _rounding_error(run))
    capacity = run.plan.capacity
    if not capacity.is_bounded or capacity.low <= 0.0:
        return 1.0
    return math.log(capacity.high / capacity.low) / (2.0 * _TWO_SIDED_90)


def _rounding_error(run: MeasuredRun) -> float:
    """Return the relative error of a capacity that is a whole number of connections."""
    if run.plan.binding not in COUNTED:
        return 0.0
    return _OF_A_WHOLE_NUMBER / max(run.plan.capacity.mid, 1.0)


def _line_error(wall: Wall, line: ResourceLine, mix: LoadVector) -> float | None:
    """Return by how much ln((L − b₀) / (b·d)) errs where each step errs by its own size."""
    along, rest = line.along(mix), line.at_rest()
    marginal = line.line.value(along)
    room = (wall.limit.value or 0.0) - line.line.value(rest)
    if marginal <= 0.0 or room <= 0.0:
        return None
    return line.line.reach(rest / room + along / marginal)


def _caveats(
    before: Sequence[MeasuredRun], after: Sequence[MeasuredRun], run_noise_ratio: float
) -> list[str]:
    said = []
    if (len(before) == 1 or len(after) == 1) and run_noise_ratio == 0.0:
        said.append(
            "one run a side tells nothing of what differs from run to run of the same build;"
            " three or more a side do, and --run-noise allows for it where it is known"
        )
    said += [
        f"the load generator was a limit itself in {run.plan.run}"
        for run in (*before, *after)
        if not run.plan.generator.is_trustworthy
    ]
    said += [
        f"of {run.plan.run}: {doubt.statement}"
        for run in (*before, *after)
        for doubt in run.plan.doubts
        if doubt.kind is DoubtKind.RUN_INCOMPLETE
    ]
    ends = [run.plan.mix.delivered_bytes_per_s for run in (before[0], after[-1])]
    if ends[0] > 0.0 and abs(ends[1] / ends[0] - 1.0) > _OTHER_LOAD_RATIO:
        said.append(
            f"a connection received {ends[1] / ends[0] - 1.0:+.0%} bytes a second: costs are compared"
            " at the baseline's number of deliveries, whatever their size".replace("%", " %")
        )
    return said
