"""
What an arrival costs: the CPU seconds of a ramp beyond those that the load explains.

excess = c_h·(connections opened) + c_s·(connections that subscribed), c ≥ 0, over all ramps. The
noise of a ramp's sum grows with its arrivals, hence weights 1 / arrivals (ratio estimation: Cochran,
Sampling Techniques, 1977, ch. 6). A client that comes back does both, so its cost is c_h + c_s; the
sum is known even where all ramps subscribe what they open and the two cannot be told apart.
"""

from collections.abc import Sequence

import numpy as np

from capacity.domain.estimates import Estimate
from capacity.models.uncertainty.bootstrap import SEED, interval_around, widened, window_weights
from capacity.models.uncertainty.intervals import CONFIDENCE
from capacity.models.unit_costs import refitted_costs


def arrival_cost_s(
    excess_s: Sequence[float], opened: Sequence[int], subscribed: Sequence[int]
) -> Estimate:
    """Return c_h + c_s in CPU seconds, from one entry of each a ramp."""
    columns = [list(map(float, opened)), list(map(float, subscribed))]
    design = np.array([column for column in columns if any(column)]).T
    weights = np.reciprocal(np.maximum(design.sum(axis=1), 1.0))
    draws = window_weights(range(len(excess_s)), np.random.default_rng(SEED))
    resampling = np.vstack([draws, np.ones(len(excess_s))])
    costs = refitted_costs(design, np.array(excess_s), weights, resampling)
    costs = widened(costs, costs[-1], *design.shape).sum(axis=1)
    return interval_around(float(costs[-1]), costs[:-1], CONFIDENCE)
