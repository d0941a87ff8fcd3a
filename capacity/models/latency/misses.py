"""
What forecasts of latency from low load missed by, by extrapolation ratio: two tables of data.

SCATTERED was learned on 31 public series of broadcast benchmarks (github.com/hashrocket/websocket-shootout,
2016), each forecast from the steps up to 3/4, 1/2 and 1/4 of where its 95th percentile met 500 ms.
log_bias is the median of ln(truth / forecast); the half-widths are split-conformal quantiles of
|ln(truth / forecast) − log_bias|, rank ⌈(n + 1)·confidence⌉ (Vovk, Gammerman & Shafer, Algorithmic
Learning in a Random World, 2005). They hold for targets like those, and are conservative for
percentiles of more than the 40 samples a step of that benchmark.

STEADY was learned on this tool's own validation (reports/validation/): percentiles of thousands of
values, on servers that one loop serves. What tells the two apart is how far the percentiles scatter
around their line: 10 % and more on nine in ten of the public series, 3 % on our own.

The ratio of a node is that of truth to load tested, so that it holds nothing about single series.
`python tests/backtest/shootout.py` prints the table anew, with its leave-one-server-out scores.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """Error of forecasts that reach *ratio* times beyond the highest load tested."""

    ratio: float
    log_bias: float
    """Added to ln(forecast)."""
    half_width_90: float
    """Of the 90 % interval of ln(truth), after the bias."""

    @property
    def sigma(self) -> float:
        """Return σ of the normal law of ln(truth) whose 90 % interval is as wide."""
        return self.half_width_90 / NormalDist().inv_cdf(0.95)


SCATTERED = (
    Miss(ratio=1.333, log_bias=0.036, half_width_90=0.219),
    Miss(ratio=2, log_bias=0.074, half_width_90=0.283),
    Miss(ratio=4, log_bias=0.007, half_width_90=0.662),
)


STEADY = (
    Miss(ratio=1.333, log_bias=0.0, half_width_90=0.045),
    Miss(ratio=2, log_bias=0.0, half_width_90=0.055),
    Miss(ratio=4, log_bias=0.0, half_width_90=0.06),
)
_STEADY_BELOW, _SCATTERED_FROM = 0.04, 0.1


def misses_of(scatter: float) -> tuple[Miss, ...]:
    """Return the table for percentiles that *scatter* so much, relatively, around their line."""
    reach = math.log(max(scatter, _STEADY_BELOW) / _STEADY_BELOW)
    share = min(1.0, reach / math.log(_SCATTERED_FROM / _STEADY_BELOW))

    def between(steady: float, scattered: float) -> float:
        return (1.0 - share) * steady + share * scattered

    return tuple(
        Miss(
            ratio=steady.ratio,
            log_bias=between(steady.log_bias, scattered.log_bias),
            half_width_90=between(steady.half_width_90, scattered.half_width_90),
        )
        for steady, scattered in zip(STEADY, SCATTERED, strict=True)
    )


def miss_at(ratio: float, misses: Sequence[Miss] = SCATTERED) -> Miss:
    """Return the error at *ratio*, linear in ln(ratio) between the nodes, which rise in ratio.

    Below the first node it stays: the noise of a percentile does not vanish on the way to it.
    Beyond the last one the half-widths grow on with the last slope; the bias stays.
    """
    nearest = max(ratio, misses[0].ratio)
    position = max(n for n, miss in enumerate(misses[:-1]) if miss.ratio <= nearest)
    below, above = misses[position], misses[position + 1]
    share = math.log(nearest / below.ratio) / math.log(above.ratio / below.ratio)

    def between(low: float, high: float, most: float = math.inf) -> float:
        return low + min(share, most) * (high - low)

    return Miss(
        ratio=ratio,
        log_bias=between(below.log_bias, above.log_bias, 1.0),
        half_width_90=between(below.half_width_90, above.half_width_90),
    )
