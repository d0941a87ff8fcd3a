"""A load profile as a list of steps, and where a run stands in it. Nothing here sleeps.

A step is ramp → settle → plateau. The ramp ends when the connections are open, not when the
users are there; only the plateau is measured. A step that its ramp cannot reach ends the run:
the target admits no more, and pushing on would only harm it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from capacity.domain.load import LoadStep


class Phase(StrEnum):
    RAMP = "ramp"
    SETTLE = "settle"
    PLATEAU = "plateau"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What all steps of a profile have in common."""

    connects_per_s: float
    ramp_timeout_s: float
    settle_s: float
    plateau_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What a connection brings along when the load is not idle."""

    subscriptions_per_connection: int
    requests_per_s_per_connection: float
    poll_interval_s: float

    @property
    def sockets_per_connection(self) -> float:
        """Return the sockets at the target for one connection, its share of the pollers included."""
        return 1 + self.requests_per_s_per_connection * self.poll_interval_s


def mixed_step(connections: int, mix: Mix, pace: Pace) -> LoadStep:
    """Return the step that offers the full mix at *connections*."""
    return LoadStep(
        connections=connections,
        subscriptions_per_connection=mix.subscriptions_per_connection,
        requests_per_s=connections * mix.requests_per_s_per_connection,
        connects_per_s=pace.connects_per_s,
        ramp_timeout_s=pace.ramp_timeout_s,
        settle_s=pace.settle_s,
        plateau_s=pace.plateau_s,
        is_mix=True,
    )


def safe_steps(
    *, bound: int, fraction: float, levels: int, mix: Mix, pace: Pace
) -> tuple[LoadStep, ...]:
    """Return a plan of experiment that stays at or below *fraction* of *bound* sockets.

    A baseline without load, then at each of *levels* connection counts an idle step and a
    subscribed one, with the REST polls on in every other of each, so that the costs of a
    connection, a delivery and a request can be told apart. The last step is the full mix.
    """
    steps = [replace(mixed_step(0, mix, pace), is_mix=False)]
    highest = max(1, int(bound * fraction / mix.sockets_per_connection))
    for level in range(1, levels + 1):
        loaded = mixed_step(max(1, highest * level // levels), mix, pace)
        idle = replace(loaded, subscriptions_per_connection=0, is_mix=False)
        polls_while_idle = level % 2 == 0
        if polls_while_idle and level < levels:
            loaded = replace(loaded, requests_per_s=0.0, is_mix=False)
        if not polls_while_idle:
            idle = replace(idle, requests_per_s=0.0)
        steps += [idle, loaded]
    return tuple(steps)


def ramp_steps(*, levels: Sequence[int], mix: Mix, pace: Pace) -> tuple[LoadStep, ...]:
    """Return the full mix at each of *levels*, after a baseline without load."""
    baseline = replace(mixed_step(0, mix, pace), is_mix=False)
    return (baseline, *(mixed_step(level, mix, pace) for level in levels))


def breaking_steps(
    *, start: int, increment: int, limit: int, mix: Mix, pace: Pace
) -> tuple[LoadStep, ...]:
    """Return ever higher steps from *start* until *limit*; the first one not reached ends them."""
    levels = (*range(start, limit, increment), limit)
    return tuple(mixed_step(level, mix, pace) for level in levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a run stands: the step, its phase, and the elapsed time at which that began."""

    index: int
    phase: Phase
    since_s: float


START = Position(index=0, phase=Phase.RAMP, since_s=0.0)


class StepNotReachedError(Exception):
    """The ramp of a step lasted longer than its time-out."""


def advance(
    steps: Sequence[LoadStep], position: Position, elapsed_s: float, open_connections: int
) -> Position | None:
    """Return the position after *elapsed_s*, or None when the last plateau is over.

    Moves by one phase a call at most, so that the caller sees every phase begin. Raises
    StepNotReachedError when the ramp timed out.
    """
    step = steps[position.index]
    in_phase_s = elapsed_s - position.since_s
    if position.phase is Phase.RAMP:
        if _is_reached(steps, position.index, open_connections):
            return Position(index=position.index, phase=Phase.SETTLE, since_s=elapsed_s)
        if in_phase_s > step.ramp_timeout_s:
            raise StepNotReachedError
    elif position.phase is Phase.SETTLE and in_phase_s >= step.settle_s:
        return Position(index=position.index, phase=Phase.PLATEAU, since_s=elapsed_s)
    elif position.phase is Phase.PLATEAU and in_phase_s >= step.plateau_s:
        if position.index + 1 == len(steps):
            return None
        return Position(index=position.index + 1, phase=Phase.RAMP, since_s=elapsed_s)
    return position


def _is_reached(steps: Sequence[LoadStep], index: int, open_connections: int) -> bool:
    asked = steps[index].connections
    before = steps[index - 1].connections if index else 0
    return open_connections >= asked if asked >= before else open_connections <= asked


def expected_duration_s(steps: Sequence[LoadStep]) -> float:
    """Return how long a run takes when every ramp goes at its connect rate."""
    total_s, previous = 0.0, 0
    for step in steps:
        total_s += abs(step.connections - previous) / step.connects_per_s
        total_s += step.settle_s + step.plateau_s
        previous = step.connections
    return total_s
