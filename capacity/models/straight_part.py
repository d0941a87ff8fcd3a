"""
The part of a counted resource's use that one law describes.

Counts may have a kink at low load: an idle master has more descriptors open than the worker that
is about to fill up, a pool starts with more threads than are needed, log files are opened with the
first connection. Beyond the kink the count is as straight as ever, and only there the slope means
what a connection takes. So the lowest levels are left out while they leave the line of the others.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capacity.models.design_condition import SEPARABLE_BELOW, condition_number
from capacity.models.unit_costs import robust_costs

FEWEST_LEVELS = 2
"""Of which a line can be had."""
_ONE_UNIT = 1.0
"""Counts are whole, and so are pollers: what is nearer may be rounding."""


def straight_rows(
    design: NDArray[np.float64], use: NDArray[np.float64], levels: Sequence[float]
) -> NDArray[np.bool_]:
    """Return which rows to use; *levels* says which rows stand at the same load.

    A level is left out if its mean is off the line through all higher ones by more than one
    unit and the root mean square of what they are off it themselves.
    """
    row_levels = np.asarray(levels, dtype=float)
    kept = np.ones(len(use), dtype=np.bool_)
    for lowest in sorted(set(levels))[:-FEWEST_LEVELS]:
        at_lowest, above = row_levels == lowest, row_levels > lowest
        if condition_number(design[above]) > SEPARABLE_BELOW:
            break
        residuals = use - design @ robust_costs(design[above], use[above]).coefficients
        noise = math.sqrt(float(np.mean(residuals[above] ** 2)))
        if abs(float(np.mean(residuals[at_lowest]))) <= _ONE_UNIT + noise:
            break
        kept &= ~at_lowest
    return kept
