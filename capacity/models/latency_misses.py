"""
What forecasts of latency from low load missed by, by extrapolation ratio: a table of data.

Learned on 31 public series of broadcast benchmarks (github.com/hashrocket/websocket-shootout,
2016), each forecast from the steps up to 3/4, 1/2 and 1/4 of where its 95th percentile met 500 ms.
log_bias is the median of ln(truth / forecast); the half-widths are split-conformal quantiles of
|ln(truth / forecast) − log_bias|, rank ⌈(n + 1)·confidence⌉ (Vovk, Gammerman & Shafer, Algorithmic
Learning in a Random World, 2005). They hold for targets like those, and are conservative for
percentiles of more than the 40 samples a step of that benchmark.

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
    half_width_80: float
    """Of the 80 % interval of ln(truth), after the bias."""
    half_width_90: float

    @property
    def sigma(self) -> float:
        """Return σ of the normal law of ln(truth) whose 90 % interval is as wide."""
        return self.half_width_90 / NormalDist().inv_cdf(0.95)


MISSES = (
    Miss(ratio=1.333, log_bias=0.036, half_width_80=0.163, half_width_90=0.219),
    Miss(ratio=2, log_bias=0.074, half_width_80=0.175, half_width_90=0.283),
    Miss(ratio=4, log_bias=0.007, half_width_80=0.409, half_width_90=0.662),
)


def miss_at(ratio: float, misses: Sequence[Miss] = MISSES) -> Miss:
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
        half_width_80=between(below.half_width_80, above.half_width_80),
        half_width_90=between(below.half_width_90, above.half_width_90),
    )
