"""
Counted resources are taken in whole units: one descriptor a connection, two behind a proxy, a
quarter of one when four workers share the load. A fitted slope that meets such a fraction within
its noise is that fraction; one that does not is a finding (a leak, a second upstream) and stays.
"""

FRACTIONS = (1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0)
TOLERANCE_RATIO = 0.005
WIDEST_RATIO = 0.1
"""However noisy the slope: beyond a tenth of the fraction it is not that fraction."""


def snapped_slope(slope: float, standard_error: float) -> float | None:
    """Return the fraction that *slope* means, or None if it means none.

    Within 2 standard errors or 0.5 %, whichever is more, but never beyond 10 %.
    """
    nearest = min(FRACTIONS, key=lambda fraction: abs(slope - fraction))
    tolerance = max(2.0 * standard_error, TOLERANCE_RATIO * nearest)
    if abs(slope - nearest) > min(tolerance, WIDEST_RATIO * nearest):
        return None
    return nearest
