"""
What changed in the delays: the 99th percentile on the steps that both sides held alike.

A step is alike where it offered the same, with at most a tenth more or fewer connections. How far the
logarithms of the ratios scatter over these steps says how sure their mean is; it is taken to be no
surer than 5 %, as percentiles of a quiet plateau agree by chance.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from scipy.special import stdtr, stdtrit

from capacity.domain.answers.comparison import Change, Outcome
from capacity.domain.estimates import Estimate
from capacity.domain.observation import Quantiles, StepObservation
from capacity.domain.run import RunRecord
from capacity.planning.evidence.windows import is_usable

SERIES = ("delivery_delay", "request_latency", "handshake_time")
FEWEST_STEPS = 3
LEAST_EFFECT_RATIO, LEAST_EFFECT_S = 0.2, 1e-3
"""A smaller change of a percentile is no regression: nobody notices it."""
_ALIKE_RATIO = 0.1
_LEAST_ERROR = 0.05
_CONFIDENCE = 0.9


def delay_changes(
    before: Sequence[RunRecord], after: Sequence[RunRecord], chance_needed: float
) -> list[Change]:
    """Return the change of each series that both sides have."""
    return [
        change
        for series in SERIES
        if (change := _change(series, before, after, chance_needed)) is not None
    ]


def _change(
    series: str, before: Sequence[RunRecord], after: Sequence[RunRecord], chance_needed: float
) -> Change | None:
    pairs = list(_pairs(series, before, after))
    if not pairs:
        return None
    logs = [math.log(new / old) for old, new in pairs]
    old_s, new_s = (math.exp(fmean(math.log(pair[side]) for pair in pairs)) for side in (0, 1))
    change = Change(
        figure=f"{series}.p99",
        unit="seconds",
        baseline=old_s,
        current=new_s,
        ratio=None,
        chance=None,
        seen_from_ratio=None,
        outcome=Outcome.NO_CHANGE,
        is_judged=False,
        note=f"{len(pairs)} comparable steps, {FEWEST_STEPS} are needed: not judged",
    )
    if len(pairs) < FEWEST_STEPS:
        return change
    degrees = len(logs) - 1
    error = max(stdev(logs) / math.sqrt(len(logs)), _LEAST_ERROR)
    middle = fmean(logs)
    reach = float(stdtrit(degrees, (1.0 + _CONFIDENCE) / 2.0)) * error
    chance = float(stdtr(degrees, abs(middle) / error))
    is_large = (
        abs(math.expm1(middle)) >= LEAST_EFFECT_RATIO and abs(new_s - old_s) >= LEAST_EFFECT_S
    )
    outcome = Outcome.NO_CHANGE
    if is_large and chance >= chance_needed:
        outcome = Outcome.REGRESSION if middle > 0.0 else Outcome.IMPROVEMENT
    needed = float(stdtrit(degrees, chance_needed) + stdtrit(degrees, 0.95))
    return replace(
        change,
        ratio=Estimate(
            low=math.exp(middle - reach),
            mid=math.exp(middle),
            high=math.exp(middle + reach),
            confidence=_CONFIDENCE,
        ),
        chance=chance,
        seen_from_ratio=max(math.expm1(needed * error), LEAST_EFFECT_RATIO),
        outcome=outcome,
        is_judged=True,
        note=f"on {len(pairs)} comparable steps",
    )


def _pairs(
    series: str, before: Sequence[RunRecord], after: Sequence[RunRecord]
) -> Iterator[tuple[float, float]]:
    """Return the percentile before and after of each step that every run held alike."""
    first = before[0]
    for step in _read(series, first):
        matches = [_match(series, step, run) for run in (*before[1:], *after)]
        found = [match for match in matches if match is not None]
        if len(found) < len(matches):
            continue
        tails = [_tail_s(series, each) for each in (step, *found)]
        yield (
            math.exp(fmean(map(math.log, tails[: len(before)]))),
            math.exp(fmean(map(math.log, tails[len(before) :]))),
        )


def _read(series: str, run: RunRecord) -> list[StepObservation]:
    return [step for step in run.steps if is_usable(step) and _tail_s(series, step) > 0.0]


def _match(series: str, step: StepObservation, run: RunRecord) -> StepObservation | None:
    asked = step.step
    alike = [
        other
        for other in _read(series, run)
        if other.step.subscriptions_per_connection == asked.subscriptions_per_connection
        and (other.step.requests_per_s > 0.0) == (asked.requests_per_s > 0.0)
        and (other.step.churn_per_s > 0.0) == (asked.churn_per_s > 0.0)
        and abs(other.step.connections - asked.connections) <= _ALIKE_RATIO * asked.connections
    ]
    return min(
        alike, key=lambda other: abs(other.step.connections - asked.connections), default=None
    )


def _tail_s(series: str, step: StepObservation) -> float:
    quantiles: Quantiles | None = getattr(step, series)
    return 0.0 if quantiles is None else quantiles.p99_s
