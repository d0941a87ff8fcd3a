"""
The cost of a connection in a resource that is counted: in which part it is straight, and what it means.

Counts may have a kink at low load: an idle master has more descriptors open than the worker that
is about to fill up, a pool starts with more threads than are needed, log files are opened with the
first connection. Beyond the kink the count is as straight as ever, and only there the slope means
what a connection takes. So the lowest levels are left out while they leave the line of the others.

Counted resources are taken in whole units: one descriptor a connection, two behind a proxy, a
quarter of one when four workers share the load. A fitted slope that meets such a fraction within
its noise is that fraction; one that does not is a finding (a leak, a second upstream) and stays.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capacity.models.design import SEPARABLE_BELOW, condition_number
from capacity.models.unit_costs import robust_costs

FRACTIONS = (1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0)
TOLERANCE_RATIO = 0.005
WIDEST_RATIO = 0.1
"""However noisy the slope: beyond a tenth of the fraction it is not that fraction."""
FEWEST_LEVELS = 2
"""Of which a line can be had."""
_ONE_UNIT = 1.0
"""Counts are whole, and so are pollers: what is nearer may be rounding."""


def snapped_slope(slope: float, standard_error: float) -> float | None:
    """Return the fraction that *slope* means, or None if it means none.

    Within 2 standard errors or 0.5 %, whichever is more, but never beyond 10 %.
    """
    nearest = min(FRACTIONS, key=lambda fraction: abs(slope - fraction))
    tolerance = max(2.0 * standard_error, TOLERANCE_RATIO * nearest)
    if abs(slope - nearest) > min(tolerance, WIDEST_RATIO * nearest):
        return None
    return nearest


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
