"""The steps that tell the costs of connections, deliveries, requests and handshakes apart.

Connection counts rise geometrically from 2/25 of the highest to the highest; that is from 2 % to
25 % of the bound for a full quarter. At each of them some of the factors (subscriptions, polls,
churn) are on and the others off, chosen to be D-optimal together (models/design.py); some steps are
given: no load at all, idle connections at the top, the full mix at the upper half. The way down visits
counts of the way up again with the same idle load, so that what a target does not give back shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from capacity.domain.load import LoadStep
from capacity.models.design import d_optimal_choice
from capacity.models.design_condition import condition_number
from capacity.workload.profile import Mix, Pace, mixed_step

LOWEST_RATIO = 0.08
"""Lowest connection count over the highest one: 2 % over 25 %."""
LEVELS_FOR_A_MIX = 2
"""The upper one of so many has a step with the full mix: what is asked for is tested, not only
composed of parts."""
FEWEST_FOR_WAY_DOWN = 4
"""Levels for each step on the way down; with fewer ones the factors need all steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    connections: int
    candidates: tuple[LoadStep, ...]
    """Every combination of the factors, idle first and the full mix last."""

    @property
    def idle(self) -> LoadStep:
        return self.candidates[0]


def safe_steps(
    *,
    bound: int,
    fraction: float,
    levels: int,
    mix: Mix,
    pace: Pace,
    steps_per_level: int = 2,
    churn_per_s_per_connection: float = 0.0,
) -> tuple[LoadStep, ...]:
    """Return an experiment that stays at or below *fraction* of *bound* sockets.

    It takes *levels* × *steps_per_level* steps and one without load. *churn_per_s_per_connection* is
    tried where it is more than that of the mix.
    """
    highest = max(1, int(bound * fraction / mix.sockets_per_connection))
    churn = max(churn_per_s_per_connection, mix.churn_per_s_per_connection)
    nothing = replace(mixed_step(0, mix, pace), is_mix=False)
    up = [
        _level(connections, churn, mix, pace)
        for connections in _geometric(highest, min(levels, highest))
    ]
    down = up[len(up) // 2 - 1 : -1][: len(up) // FEWEST_FOR_WAY_DOWN]
    upper = up[-max(1, len(up) // LEVELS_FOR_A_MIX) :]
    given = [up[-1].idle]
    given += [mixed_step(level.connections, mix, pace) for level in upper if level not in down]
    given += [level.idle for level in down for _way in ("up", "down")]
    free = [
        level
        for level in up
        for _ in range(min(steps_per_level, len(level.candidates)) - _given(level, given))
    ]
    chosen = _chosen([nothing, *given], free)
    rising = sorted([*given[: len(given) - len(down)], *chosen], key=_place)
    return (nothing, *rising, *(level.idle for level in reversed(down)))


def condition_of(steps: Sequence[LoadStep]) -> float:
    """Return the condition number of the scaled design that *steps* make."""
    rows = _rows(steps)
    varying = np.ptp(rows, axis=0) > 0.0
    return condition_number(np.hstack([np.ones((len(rows), 1)), rows[:, varying]]))


def _geometric(highest: int, count: int) -> list[int]:
    """Return up to *count* different connection counts, the last one *highest*."""
    if count == 1:
        return [highest]
    ratio = LOWEST_RATIO ** (1.0 / (count - 1))
    return sorted({max(1, round(highest * ratio**n)) for n in range(count)})


def _level(connections: int, churn_per_s_per_connection: float, mix: Mix, pace: Pace) -> _Level:
    full = mixed_step(connections, mix, pace)
    churn_per_s = connections * churn_per_s_per_connection
    candidates: list[LoadStep] = []
    for subscribed, polled, churned in product((False, True), repeat=3):
        step = replace(
            full,
            subscriptions_per_connection=full.subscriptions_per_connection if subscribed else 0,
            requests_per_s=full.requests_per_s if polled else 0.0,
            churn_per_s=churn_per_s if churned else 0.0,
            is_mix=False,
        )
        step = replace(step, is_mix=step == replace(full, is_mix=False))
        if step not in candidates:
            candidates.append(step)
    return _Level(connections=connections, candidates=tuple(candidates))


def _given(level: _Level, given: Sequence[LoadStep]) -> int:
    return sum(step.connections == level.connections for step in given)


def _chosen(given: Sequence[LoadStep], free: Sequence[_Level]) -> list[LoadStep]:
    rows = {
        level.connections: _rows([step for step in level.candidates if step not in given])
        for level in free
    }
    picks = d_optimal_choice(_rows(given), [rows[level.connections] for level in free])
    return [
        [step for step in level.candidates if step not in given][pick]
        for level, pick in zip(free, picks, strict=True)
    ]


def _rows(steps: Sequence[LoadStep]) -> NDArray[np.float64]:
    return np.array(
        [
            [
                step.connections,
                step.connections * step.subscriptions_per_connection,
                step.requests_per_s,
                step.churn_per_s,
            ]
            for step in steps
        ],
        dtype=np.float64,
    )


def _place(step: LoadStep) -> tuple[float, ...]:
    """Return what orders the way up: by connections, from idle to the full mix."""
    return (
        step.connections,
        step.is_mix,
        step.subscriptions_per_connection,
        step.requests_per_s,
        step.churn_per_s,
    )
