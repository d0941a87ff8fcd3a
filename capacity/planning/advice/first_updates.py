"""When a client that is let in again has its first update, from what the ramps of the run saw."""

from collections.abc import Callable
from random import Random

from capacity.domain.run import RunRecord
from capacity.models.operations.storm_drill import drawn_between, shared_period_s

_DIALING = ("dns", "tcp", "proxy", "tls", "upgrade")

AfterTurn = Callable[[float, float], float]
"""Seconds from a client's turn to its first update, by the time of the turn and a random number."""


def after_turn_s(record: RunRecord) -> Callable[[Random], AfterTurn]:
    """Return what makes, for each repetition, the time from a client's turn to its first update.

    By the time of the turn and a random number in [0, 1).
    """
    seen = [step for step in record.steps if step.step.is_mix and step.opening and not step.void]
    if not seen:
        return lambda _rng: lambda _turn_s, _random01: 0.0
    step = max(seen, key=lambda step: _first_updates(step.opening))
    dialing_s = sum(step.opening[phase].p50_s for phase in _DIALING if phase in step.opening)
    first = step.opening.get("first_data")
    if first is None:
        return lambda _rng: lambda _turn_s, _random01: dialing_s
    period_s = shared_period_s([each for s in seen if (each := s.opening.get("first_data"))])
    if period_s is not None:
        return lambda rng: _until_tick(dialing_s, period_s, rng.random())
    draw = drawn_between(
        ((0.5, first.p50_s), (0.95, first.p95_s), (0.99, first.p99_s), (1.0, first.max_s))
    )
    return lambda _rng: lambda _turn_s, random01: dialing_s + draw(random01)


def _until_tick(dialing_s: float, period_s: float, phase: float) -> AfterTurn:
    """Return the time to the update that comes next to all; *phase* is where the first one falls."""
    return lambda turn_s, _random01: dialing_s + (phase * period_s - turn_s - dialing_s) % period_s


def _first_updates(opening: object) -> int:
    first = opening.get("first_data") if isinstance(opening, dict) else None
    return first.count if first is not None else 0
