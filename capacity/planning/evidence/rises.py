"""
How a resource moves on one plateau, where the connections stay: by its slope and how steadily.

Slope by Theil and Sen over the samples, steadiness by how many of their pairs rise (Kendall's τ, as in
the Mann–Kendall test: Econometrica 13, 1945).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from capacity.domain.caveats import RISING_PAIRS, RISING_RATIO
from capacity.domain.resources import Resource
from capacity.domain.sample import Sample
from capacity.models.lines import theil_sen_line
from capacity.planning.evidence.plausible import UNREAD, is_plausible

FEWEST_SAMPLES = 5
FEWEST_COUNTS = 3
"""Of what is counted, which scatters less and is read less often."""


class Rise(NamedTuple):
    """How a resource rose over the samples of one plateau."""

    per_s: float
    lasted_s: float
    last: float
    middle: float
    is_steady: bool
    """Whether most pairs of samples rise."""

    def is_material(self, at_rest: float) -> bool:
        """Tell whether it rose by more than RISING_RATIO of what is taken above the use *at_rest*."""
        taken = self.middle - at_rest
        return self.is_steady and taken > 0.0 and self.per_s * self.lasted_s > RISING_RATIO * taken


def rise_of(
    samples: Sequence[Sample], resource: Resource, fewest: int = FEWEST_SAMPLES
) -> Rise | None:
    """Return how *resource* rose; None where fewer than *fewest* samples have it."""
    read = [
        (sample.at, sample.used[resource])
        for sample in samples
        if is_plausible(sample.used.get(resource, UNREAD))
    ]
    if len(read) < fewest:
        return None
    times_s, uses = np.array(read).T
    first, second = np.triu_indices(len(uses), k=1)
    pairs = float(np.mean(np.sign(uses[second] - uses[first])))
    return Rise(
        per_s=theil_sen_line(times_s, uses)[1],
        lasted_s=float(times_s[-1] - times_s[0]),
        last=float(uses[-1]),
        middle=float(np.median(uses)),
        is_steady=pairs >= RISING_PAIRS,
    )


def resident_per_s(samples: Sequence[Sample]) -> float | None:
    """Return the slope of what the target's processes have resident, in bytes a second; None if unread."""
    read = [
        (sample.at, resident)
        for sample in samples
        if is_plausible(resident := sample.gauges.get("resident_bytes", -1.0))
    ]
    if len(read) < FEWEST_SAMPLES:
        return None
    times_s, uses = np.array(read).T
    return theil_sen_line(times_s, uses)[1]
