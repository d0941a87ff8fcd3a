"""A load profile as a list of steps, and where a run stands in it. Nothing here sleeps.

A step is ramp → settle → plateau. The ramp ends when the connections are open, not when the
users are there; only the plateau is measured. A step that its ramp cannot reach ends the run:
the target admits no more, and pushing on would only harm it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from capacity.domain.load import LoadStep


class Phase(StrEnum):
    RAMP = "ramp"
    SETTLE = "settle"
    PLATEAU = "plateau"


MOST_CHURN_RATIO = 0.8
"""Of the connect rate: of more, connections come back later than they leave, and the population shrinks."""


FOLLOWS_PER_CONNECT = 2.0
"""How much faster than connections are opened those that are open follow other channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What all steps of a profile have in common."""

    connects_per_s: float
    ramp_timeout_s: float
    settle_s: float
    plateau_s: float
    connections_per_user: int = 1

    @property
    def most_churn_per_s(self) -> float:
        """Return how many connections a second can be replaced while all stay open."""
        return MOST_CHURN_RATIO * self.connects_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What a connection brings along when the load is not idle."""

    subscriptions_per_connection: int
    requests_per_s_per_connection: float
    poll_interval_s: float
    churn_per_s_per_connection: float = 0.0
    slow_readers_ratio: float = 0.0
    orders_per_s_per_connection: float = 0.0
    order_interval_s: float = 1.0

    @property
    def sockets_per_connection(self) -> float:
        """Return the sockets at the target for one connection, its share of pollers and traders included."""
        return (
            1
            + self.requests_per_s_per_connection * self.poll_interval_s
            + self.orders_per_s_per_connection * self.order_interval_s
        )


def whole_users(connections: int, connections_per_user: int) -> int:
    """Return how many connections are open where *connections* are asked for: users come and go whole."""
    return math.ceil(connections / connections_per_user) * connections_per_user


def mixed_step(connections: int, mix: Mix, pace: Pace) -> LoadStep:
    """Return the step that offers the full mix at *connections*, by those that whole users open."""
    opened = whole_users(connections, pace.connections_per_user)
    return LoadStep(
        connections=connections,
        subscriptions_per_connection=mix.subscriptions_per_connection,
        requests_per_s=opened * mix.requests_per_s_per_connection,
        churn_per_s=opened * mix.churn_per_s_per_connection,
        slow_readers_ratio=mix.slow_readers_ratio,
        orders_per_s=opened * mix.orders_per_s_per_connection,
        connects_per_s=pace.connects_per_s,
        ramp_timeout_s=pace.ramp_timeout_s,
        settle_s=pace.settle_s,
        plateau_s=pace.plateau_s,
        is_mix=True,
    )


def resized(step: LoadStep, connections: int, connections_per_user: int) -> LoadStep:
    """Return *step* at *connections*, each of which brings along what it does in *step*."""
    before = whole_users(step.connections, connections_per_user)
    ratio = whole_users(connections, connections_per_user) / before
    return replace(
        step,
        connections=connections,
        requests_per_s=step.requests_per_s * ratio,
        churn_per_s=step.churn_per_s * ratio,
        orders_per_s=step.orders_per_s * ratio,
    )


def ramp_steps(*, levels: Sequence[int], mix: Mix, pace: Pace) -> tuple[LoadStep, ...]:
    """Return the full mix at each of *levels*, after a baseline without load."""
    baseline = replace(mixed_step(0, mix, pace), is_mix=False)
    return (baseline, *(mixed_step(level, mix, pace) for level in levels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a run stands: the step, its phase, and the elapsed time at which that began."""

    index: int
    phase: Phase
    since_s: float
    held_s: float = 0.0
    """Of a ramp, the time at its begin in which the generator itself lets nobody connect: pollers come first,
    and users have to be there. It is no part of what the ramp may take."""
    least_s: float = 0.0
    """Of a ramp, how long it lasts at least: until all that changes besides connections is there."""

    def begun_again(self, elapsed_s: float) -> "Position":
        """Return the phase with its whole time before it; a plateau is measured once."""
        return self if self.phase is Phase.PLATEAU else replace(self, since_s=elapsed_s)


START = Position(index=0, phase=Phase.RAMP, since_s=0.0)


class StepNotReachedError(Exception):
    """The ramp of a step took longer than its arrivals, and then the time-out as well."""


def advance(
    steps: Sequence[LoadStep],
    position: Position,
    elapsed_s: float,
    open_connections: int,
    connections_per_user: int = 1,
    *,
    stalled_s: float | None = None,
) -> Position | None:
    """Return the position after *elapsed_s*, or None when the last plateau is over.

    Moves by one phase a call at most, so that the caller sees every phase begin. Raises
    StepNotReachedError when the ramp timed out: after its arrivals were due, or where *stalled_s*
    says since when no further connection has opened, after that.
    """
    step = steps[position.index]
    in_phase_s = elapsed_s - position.since_s
    if position.phase is Phase.RAMP:
        if _is_reached(steps, position.index, open_connections, connections_per_user):
            if in_phase_s < position.least_s:
                return position
            return Position(index=position.index, phase=Phase.SETTLE, since_s=elapsed_s)
        if stalled_s is not None:
            is_late = stalled_s > step.ramp_timeout_s
        else:
            due_s = position.held_s + ramp_s(steps, position.index)
            is_late = in_phase_s > due_s + step.ramp_timeout_s
        if is_late:
            raise StepNotReachedError
    elif position.phase is Phase.SETTLE and in_phase_s >= step.settle_s:
        return Position(index=position.index, phase=Phase.PLATEAU, since_s=elapsed_s)
    elif position.phase is Phase.PLATEAU and in_phase_s >= step.plateau_s:
        if position.index + 1 == len(steps):
            return None
        return Position(index=position.index + 1, phase=Phase.RAMP, since_s=elapsed_s)
    return position


def ramp_s(steps: Sequence[LoadStep], index: int) -> float:
    """Return how long the ramp of a step takes at its connect rate."""
    before = steps[index - 1].connections if index else 0
    return abs(steps[index].connections - before) / steps[index].connects_per_s


class Intervals(Protocol):
    """At which pollers and traders act at the latest."""

    @property
    def poll_interval_s(self) -> float: ...
    @property
    def order_interval_s(self) -> float: ...


def ramp_of(
    position: Position,
    steps: Sequence[LoadStep],
    intervals: Intervals,
    *,
    connects_per_s: float,
    missing_s: float = 0.0,
) -> Position:
    """Return the begin of a ramp with the times that the generator takes itself, *missing_s* for users.

    More polls or orders begin within one interval, each on a connection of its own; other subscriptions are
    asked for at FOLLOWS_PER_CONNECT times *connects_per_s*, by those who were open before.
    """
    step = steps[position.index]
    idle = replace(step, requests_per_s=0.0, orders_per_s=0.0)
    before = steps[position.index - 1] if position.index else idle
    polls_s = intervals.poll_interval_s if step.requests_per_s > before.requests_per_s else 0.0
    orders_s = intervals.order_interval_s if step.orders_per_s > before.orders_per_s else 0.0
    follow_s = 0.0
    if step.subscriptions_per_connection != before.subscriptions_per_connection:
        stay = min(before.connections, step.connections)
        follow_s = stay / (FOLLOWS_PER_CONNECT * connects_per_s)
    held_s = max(polls_s, missing_s)
    return replace(position, held_s=held_s, least_s=max(held_s, orders_s, follow_s))


def is_way_down(steps: Sequence[LoadStep], index: int) -> bool:
    """Tell whether a step has fewer connections than the one before."""
    return index > 0 and steps[index].connections < steps[index - 1].connections


def _is_reached(
    steps: Sequence[LoadStep], index: int, open_connections: int, connections_per_user: int
) -> bool:
    asked = steps[index].connections
    # On the way down from an overload fewer than asked may be open first.
    most = whole_users(asked, connections_per_user)
    return open_connections >= asked and (open_connections <= most or not is_way_down(steps, index))
