"""
What a target does not give back when connections leave.

Allocators keep what was freed, so that memory on the way down of a run belongs to connections of
the way up. Not told apart from those still open it would flatten the cost of a connection.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from capacity.planning.evidence.windows import Window


def departed_connections(windows: Sequence[Window]) -> NDArray[np.float64]:
    """Return for each window how many more connections an earlier step was asked for; ≥ 0."""
    asked = {window.step: window.asked_connections for window in windows}
    order = sorted(asked)
    most = dict(zip(order, accumulate((asked[step] for step in order), max), strict=True))
    return np.array([float(most[window.step] - window.asked_connections) for window in windows])
