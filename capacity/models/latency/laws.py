"""
Laws of latency that bend, as rivals of the straight lines in latency/ceiling.py.

Over the load N, with ρ = N / N₁ the share of the load N₁ that keeps all servers busy:

* scalability         N / X(N) with X the Universal Scalability Law                        (usl.py)
* processor sharing   S / (1 − ρ)                                                     (queueing.py)
* several servers     S + W(ρ), Sakasegawa's approximation of M/M/c                   (queueing.py)
* fan-out             a + s·N·p + W(ρ), batches at random                             (queueing.py)

They compete by rolling-origin hold-out: each foretells from the lowest 4, 5, ... levels at how many
connections the latency of the highest one is met. A law is better than the lines if its mean error
|ln(forecast / truth)| is smaller by more than one standard error of the paired difference.

On the 31 published series of latency/misses.py a forecast by the winner was worse than by the lines
(median error 11 % against 8 % from half of the truth): curvature read at low load misleads. A better
law is therefore a reason for doubt, and no forecast.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from capacity.models.latency.ceiling import connections_at_latency
from capacity.models.nonnegative import nonnegative_least_squares
from capacity.models.queueing import approximate_wait_s, fan_out_delay_s, shared_time_s
from capacity.models.usl import scalability_law

Latency = Callable[[float], float]
"""Load -> seconds; rises."""
Basis = Callable[[float, float], tuple[float, ...]]
"""Load and N₁ -> the parts of the law, each with a coefficient of its own."""

FEWEST_LEVELS = 4
FEWEST_ORIGINS = 3
MOST_ORIGINS = 8
"""The last ones; earlier origins reach too far to tell laws apart."""
_FULL_RATIOS = tuple(float(1.0 / busy_ratio) for busy_ratio in np.arange(0.02, 0.98, 0.01))
"""N₁ over the highest load, by how busy that keeps the servers: less than all the time."""
_FARTHEST_RATIO = 1e3
_SHARE = 0.95
_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class BetterLaw:
    """A law that foretold the highest level better than lines do."""

    name: str
    connections: float
    """At which it meets the limit."""
    error: float
    """Mean of |ln(forecast / truth)| over the origins."""
    error_of_lines: float


def better_law(
    connections: Sequence[float],
    medians_s: Sequence[float],
    tails_s: Sequence[float],
    limit_s: float,
) -> BetterLaw | None:
    """Return the law that beats the lines, None if none does. One entry a step, rising, all > 0."""
    origins = range(FEWEST_LEVELS, len(connections))[-MOST_ORIGINS:]
    if len(origins) < FEWEST_ORIGINS:
        return None
    aim_s, truth = tails_s[-1], connections[-1]
    lines = [
        _miss(connections_at_latency(connections[:n], medians_s[:n], tails_s[:n], aim_s), truth)
        for n in origins
    ]
    best: BetterLaw | None = None
    for name, fit in LAWS.items():
        misses = [
            _miss(_load_at(fit(connections[:n], tails_s[:n]), aim_s, truth), truth) for n in origins
        ]
        gains = np.array(lines) - np.array(misses)
        error = float(np.mean(misses))
        standard_error = float(np.std(gains, ddof=1)) / math.sqrt(len(gains))
        if float(np.mean(gains)) > standard_error and (best is None or error < best.error):
            met = _load_at(fit(connections, tails_s), limit_s, truth)
            best = BetterLaw(
                name=name, connections=met, error=error, error_of_lines=float(np.mean(lines))
            )
    return best


def by_scalability(loads: Sequence[float], latencies_s: Sequence[float]) -> Latency:
    """Return N / X(N); loads and latencies are > 0 and at least four."""
    law = scalability_law(
        loads, [load / latency for load, latency in zip(loads, latencies_s, strict=True)]
    )
    assert law is not None, "latencies above 0 are throughputs above 0"
    return lambda load: load / law.throughput(load) if load > 0.0 else 0.0


def by_queue(basis: Basis, loads: Sequence[float], latencies_s: Sequence[float]) -> Latency:
    """Return the law of least relative error over a grid of N₁."""
    fulls = [ratio * max(loads) for ratio in _FULL_RATIOS]
    matrix = np.array([[basis(load, full) for load in loads] for full in fulls])
    matrix = matrix / np.asarray(latencies_s, dtype=float)[:, None]
    scales = np.max(np.abs(matrix), axis=1, keepdims=True)
    matrix = matrix / scales
    transposed = np.swapaxes(matrix, 1, 2)
    found = nonnegative_least_squares(transposed @ matrix, transposed.sum(axis=2))
    errors = np.sum(((matrix @ found[..., None])[..., 0] - 1.0) ** 2, axis=1)
    row = int(np.argmin(errors))
    coefficients = [float(c) for c in found[row] / scales[row, 0]]
    full = fulls[row]

    def latency_s(load: float) -> float:
        parts = zip(coefficients, basis(load, full), strict=True)
        return sum(coefficient * part for coefficient, part in parts if coefficient > 0.0)

    return latency_s


def _shared(load: float, full: float) -> tuple[float, ...]:
    return (shared_time_s(load / full, 1.0),)


def _served(load: float, full: float, servers: int) -> tuple[float, ...]:
    return (1.0 + approximate_wait_s(servers, load / full, 1.0),)


def _fanned_out(load: float, full: float) -> tuple[float, ...]:
    return 1.0, fan_out_delay_s(load, 1.0, 1.0 / full, share=_SHARE)


LAWS: Mapping[str, Callable[[Sequence[float], Sequence[float]], Latency]] = {
    "the Universal Scalability Law": by_scalability,
    "processor sharing": partial(by_queue, _shared),
    "a queue of 2 servers": partial(by_queue, partial(_served, servers=2)),
    "a queue of 4 servers": partial(by_queue, partial(_served, servers=4)),
    "a queue of 8 servers": partial(by_queue, partial(_served, servers=8)),
    "fan-out": partial(by_queue, _fanned_out),
}


def _load_at(latency: Latency, aim_s: float, highest: float) -> float:
    """Return the load at which the latency reaches *aim_s*, at most _FARTHEST_RATIO · highest."""
    low, high = 0.0, _FARTHEST_RATIO * highest
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if latency(middle) < aim_s else (low, middle)
    return high


def _miss(forecast: float, truth: float) -> float:
    """Return |ln(forecast / truth)|, at most that of _FARTHEST_RATIO."""
    bounded = min(max(forecast / truth, 1.0 / _FARTHEST_RATIO), _FARTHEST_RATIO)
    return abs(math.log(bounded))
