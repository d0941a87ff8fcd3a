"""
The product's latency forecast on 31 published series whose breaking point is known.

`python tests/backtest/shootout.py` prints the table for capacity/models/latency/misses.py, learned
on all series, and the scores, for which the table is learned without any series of the server that
is forecast. Nothing is chosen by these scores: the six lines, the median of them, the median as the
bias and the conformal rank were all fixed before.
"""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from capacity.models.latency.ceiling import connections_at_latency, corrected
from capacity.models.latency.misses import Miss, miss_at

DATA = Path(__file__).parent.parent / "data" / "websocket-shootout.json"
LIMIT_S = 0.5
STEP = 1000
SHARES = (0.75, 0.5, 0.25)
"""Of the truth, up to which steps are known to a forecast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    server: str
    connections: tuple[float, ...]
    medians_s: tuple[float, ...]
    tails_s: tuple[float, ...]

    @property
    def truth(self) -> float:
        """Half a step beyond the last count, as the next one was beyond the limit."""
        return self.connections[-1] + STEP / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    server: str
    truth: float
    highest: float
    raw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    raw_error: float
    """Median of |forecast / truth − 1| before the correction."""
    error: float
    bias: float
    """Median of forecast / truth − 1."""
    unsafe_share: float
    """Forecasts more than 10 % too high."""
    covered_80: float
    covered_90: float


def series() -> list[Series]:
    return [
        Series(
            server=entry["server"],
            connections=tuple(STEP * (n + 1) for n in range(len(entry["p95_ms"]))),
            medians_s=tuple(ms / 1000 for ms in entry["median_ms"]),
            tails_s=tuple(ms / 1000 for ms in entry["p95_ms"]),
        )
        for entry in json.loads(DATA.read_text(encoding="utf-8"))["series"]
    ]


def forecasts(share: float) -> list[Forecast]:
    """Return the uncorrected forecast of each series from its steps up to *share* of the truth."""
    made = []
    for one in series():
        known = sum(load <= share * one.truth for load in one.connections)
        raw = connections_at_latency(
            one.connections[:known], one.medians_s[:known], one.tails_s[:known], LIMIT_S
        )
        made.append(
            Forecast(
                server=one.server, truth=one.truth, highest=one.connections[known - 1], raw=raw
            )
        )
    return made


def learned(
    made: Mapping[float, Sequence[Forecast]],
    without: str | None = None,
    confidence: float = 0.9,
) -> list[Miss]:
    """Return the table of misses from all forecasts but those of the server *without*.

    With another *confidence* its half-widths are those of that interval.
    """
    table = []
    for share in SHARES:
        logs = [math.log(one.truth / one.raw) for one in made[share] if one.server != without]
        bias = median(logs)
        widths = sorted(abs(log - bias) for log in logs)
        table.append(
            Miss(
                ratio=1 / share,
                log_bias=bias,
                half_width_90=_conformal(widths, confidence),
            )
        )
    return table


def scores() -> dict[float, Score]:
    """Return the score by share, each server forecast with a table that never saw it."""
    made = {share: forecasts(share) for share in SHARES}
    tables = {one.server: learned(made, one.server) for one in made[SHARES[0]]}
    narrow = {one.server: learned(made, one.server, 0.8) for one in made[SHARES[0]]}
    return {share: _score(made[share], tables, narrow) for share in SHARES}


def _score(
    made: Sequence[Forecast],
    tables: Mapping[str, Sequence[Miss]],
    narrow: Mapping[str, Sequence[Miss]],
) -> Score:
    ratios = [corrected(one.raw, one.highest, tables[one.server]) / one.truth for one in made]

    def covered(tables: Mapping[str, Sequence[Miss]]) -> float:
        misses = [miss_at(one.raw / one.highest, tables[one.server]) for one in made]
        pairs = zip(ratios, misses, strict=True)
        return sum(abs(math.log(ratio)) <= miss.half_width_90 for ratio, miss in pairs) / len(made)

    return Score(
        raw_error=median(abs(one.raw / one.truth - 1) for one in made),
        error=median(abs(ratio - 1) for ratio in ratios),
        bias=median(ratio - 1 for ratio in ratios),
        unsafe_share=sum(ratio > 1.1 for ratio in ratios) / len(ratios),
        covered_80=covered(narrow),
        covered_90=covered(tables),
    )


def _conformal(ordered: Sequence[float], confidence: float) -> float:
    rank = math.ceil((len(ordered) + 1) * confidence)
    return ordered[min(rank, len(ordered)) - 1]


def main() -> None:
    for miss in learned({share: forecasts(share) for share in SHARES}):
        sys.stdout.write(
            f"    Miss(ratio={miss.ratio:.4g}, log_bias={miss.log_bias:.3f},"
            f" half_width_90={miss.half_width_90:.3f}),\n"
        )
    for share, score in scores().items():
        sys.stdout.write(
            f"from ≤ {share:.0%}: median error {score.error:.1%} (uncorrected"
            f" {score.raw_error:.1%}), bias {score.bias:+.1%}, more than 10 % too high"
            f" {score.unsafe_share:.0%}, 80 % interval covers {score.covered_80:.0%},"
            f" 90 % covers {score.covered_90:.0%}\n"
        )


if __name__ == "__main__":
    main()
