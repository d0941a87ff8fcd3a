"""
What a reading can be: a damaged record holds anything, and what cannot be is as good as missing.

The kernel counts in 64 bits, so that nothing it reports exceeds 2⁶³, and nothing is negative.
"""

import math

from capacity.domain.load import LoadVector

UNREAD = math.nan
"""Stands for a reading that is not there, and is as implausible as any that cannot be."""
LARGEST = 2.0**63
SMALLEST = 1e-9
"""Fewer connections on average than this, but some, are no count of connections."""


def is_plausible(value: float) -> bool:
    """Tell whether *value* is a number that can have been measured; NaN and infinity are not."""
    return 0.0 <= value <= LARGEST


def is_plausible_load(load: LoadVector) -> bool:
    return (
        is_plausible(load.connections)
        and not 0.0 < load.connections < SMALLEST
        and is_plausible(load.deliveries_per_s)
        and is_plausible(load.requests_per_s)
        and is_plausible(load.handshakes_per_s)
    )
