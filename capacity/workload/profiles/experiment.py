"""The steps of one level of an experiment that tells the costs of the parts of a load apart.

An experiment climbs: which count comes next is decided from what was seen (planning/safety/climb.py). Of
each level the full mix is offered, and beside it those factors (subscriptions, polls, churn) on or off
that tell most together with all steps before: a D-optimal choice (models/design.py). Only factors that
this target and dialect can vary are tried. The way down visits a count again with the same idle load,
so that what a target does not give back shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from capacity.domain.load import LoadStep
from capacity.models.design import d_optimal_choice
from capacity.workload.profiles.profile import Mix, Pace, mixed_step, whole_users

FEWEST_FOR_WAY_DOWN = 3
"""Levels; with fewer ones the factors need all steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What an experiment can vary at this target."""

    can_idle: bool
    """A connection can be open without a subscription, and subscribe later."""
    can_poll: bool
    churn_per_s_per_connection: float = 0.0
    """To try beside the mix's; 0: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What all levels have in common."""

    mix: Mix
    pace: Pace
    factors: Factors
    steps_per_level: int = 2

    def baseline(self) -> LoadStep:
        """Return the step without load."""
        return replace(mixed_step(0, self.mix, self.pace), is_mix=False)

    def level(self, connections: int, before: Sequence[LoadStep]) -> tuple[LoadStep, ...]:
        """Return the steps at *connections* after the steps *before*: from idle to the full mix."""
        candidates = self._candidates(connections)
        full = candidates.pop()
        count = min(self.steps_per_level - 1, len(candidates))
        if not count:
            return (full,)
        rows = _rows(candidates)
        picks = d_optimal_choice(_rows([*before, full]), [rows] * count)
        return tuple(sorted([*(candidates[pick] for pick in picks), full], key=_place))

    def way_down(self, before: Sequence[LoadStep]) -> tuple[LoadStep, ...]:
        """Return the idle step that the way up had at the highest count below the top, if it had one."""
        highest = max(step.connections for step in before)
        levels = {step.connections for step in before if step.connections}
        idle = [
            step
            for step in before
            if 0 < step.connections < highest
            and not step.subscriptions_per_connection
            and not step.requests_per_s
            and not step.churn_per_s
            and not step.is_mix
        ]
        if len(levels) < FEWEST_FOR_WAY_DOWN or not idle:
            return ()
        return (max(idle, key=lambda step: step.connections),)

    def _candidates(self, connections: int) -> list[LoadStep]:
        """Return every combination of the factors at *connections*, the full mix last."""
        mix, factors = self.mix, self.factors
        full = mixed_step(connections, mix, self.pace)
        churn = max(factors.churn_per_s_per_connection, mix.churn_per_s_per_connection)
        subscriptions = {full.subscriptions_per_connection}
        polls, churns = {full.requests_per_s}, {full.churn_per_s}
        if factors.can_idle:
            subscriptions.add(0)
        if factors.can_poll:
            polls.add(0.0)
        if churn:
            # What is asked for beyond that is no load of the mix, and could not be offered.
            most_per_s = max(full.churn_per_s, self.pace.most_churn_per_s)
            opened = whole_users(connections, self.pace.connections_per_user)
            churns |= {0.0, min(opened * churn, most_per_s)}
        steps = [
            replace(
                full,
                subscriptions_per_connection=subscribed,
                requests_per_s=polled,
                churn_per_s=churned,
                is_mix=False,
            )
            for subscribed, polled, churned in product(subscriptions, polls, churns)
        ]
        others = [step for step in steps if step != replace(full, is_mix=False)]
        return [*sorted(others, key=_place), full]


def possible_mix(mix: Mix, *, can_poll: bool) -> Mix:
    """Return *mix* without polls where the target file names nothing to poll."""
    return mix if can_poll else replace(mix, requests_per_s_per_connection=0.0)


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
