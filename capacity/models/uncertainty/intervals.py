"""
Model-form error: how far a straight line from low load misses, beyond the noise of its fit.

A bootstrap knows only the scatter of the windows that were measured; that the law may bend on the
way to the limit it cannot know. The table holds what such forecasts missed by, as a factor ×/÷ on
the ceiling at a two-sided confidence, by extrapolation ratio (ceiling / most connections tested):

* memory       ratio 4: 1.08 at 90 % - planted cgroup limits on 8 servers, forecast from ≤ 25 %
* utilization  ratio 2: 1.025, ratio 4: 1.042, both at 80 % - planted CPU quotas, busy loops and
               narrow links on 4 servers (reports/validation/), forecast from 1/2 and 1/4: the first
               12 cases, of which the worst missed by 7 %; ratio 16: 1.50, a caution that no
               case of ours backs: what public servers missed from a quarter of the load
* latency      a table of its own, latency/misses.py
* counted      none: a count has no form to be wrong about

They hold for targets like those: costs that grow along lines. One that bends below the tested load
raises a doubt (planning/caveats/linearity.py). Another confidence follows as for a log-normal error:
ln f₉₀ = ln f₈₀ · z₉₅/z₉₀ (1.025 → 1.032 and 1.042 → 1.054). Between the entries ln f is linear in ln ratio; it is 0 at
ratio 1, and the last slope goes on beyond the last entry.
"""

import math
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from capacity.domain.resource_facts import RESOURCE_FACTS, Use
from capacity.domain.resources import Resource
from capacity.models.latency.misses import miss_at

CONFIDENCE = 0.9
"""Of every interval of a plan. Its lower end is a one-sided 95 % bound."""


class Form(StrEnum):
    """Resources whose forecasts err alike."""

    COUNTED = "counted"
    MEMORY = "memory"
    UTILIZATION = "utilization"
    LATENCY = "latency"


_MISSES: dict[Form, tuple[tuple[float, float, float], ...]] = {
    Form.COUNTED: (),
    Form.MEMORY: ((4.0, 1.08, 0.9),),
    Form.UTILIZATION: ((2.0, 1.025, 0.8), (4.0, 1.042, 0.8), (16.0, 1.50, 0.8)),
}
"""(extrapolation ratio, factor, two-sided confidence)"""

_FORMS = {
    Use.COUNTED: Form.COUNTED,
    Use.HELD_BYTES: Form.MEMORY,
    Use.QUEUED_BYTES: Form.UTILIZATION,
    Use.FLOW: Form.UTILIZATION,
    Use.OBJECTIVE: Form.LATENCY,
}


def form_of(resource: Resource) -> Form:
    """Return the class of *resource*. TCP buffers queue, so they bend as utilization does."""
    return _FORMS[RESOURCE_FACTS[resource].use]


def form_sigma(form: Form, extrapolation_ratio: float) -> float:
    """Return σ of ln(truth / forecast) that the form adds at *extrapolation_ratio*."""
    if form is Form.LATENCY:
        return miss_at(extrapolation_ratio).sigma
    reach = math.log(max(extrapolation_ratio, 1.0))
    below_reach, below_sigma, slope = 0.0, 0.0, 0.0
    for ratio, factor, confidence in _MISSES[form]:
        node_reach = math.log(ratio)
        node_sigma = math.log(factor) / NormalDist().inv_cdf((1.0 + confidence) / 2.0)
        slope = (node_sigma - below_sigma) / (node_reach - below_reach)
        if reach <= node_reach:
            break
        below_reach, below_sigma = node_reach, node_sigma
    return below_sigma + slope * (reach - below_reach)


def even_normals(count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return *count* standard normal values, evenly spread over their quantiles, shuffled."""
    values = [NormalDist().inv_cdf((rank + 0.5) / count) for rank in range(count)]
    return generator.permutation(np.array(values))
