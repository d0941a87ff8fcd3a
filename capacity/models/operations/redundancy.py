"""
How many instances carry a demand when some of them are lost.

n instances spread evenly over Z zones leave n·(Z − z)/Z − k when z zones and k further instances
are gone; those must carry all of it (N+k redundancy).
"""

import math

_ROUNDING = 1e-9


def survivors(instances: int, *, lost_instances: int, zones: int, lost_zones: int) -> int:
    """Return the instances left of *instances*, a multiple of *zones*; never below 0."""
    return max(0, instances // zones * (zones - lost_zones) - lost_instances)


def instances_for_demand(
    connections: float, usable: int, *, lost_instances: int, zones: int, lost_zones: int
) -> int:
    """Return the smallest multiple of *zones* whose survivors carry *connections*."""
    needed = max(1, math.ceil(connections / usable * (1.0 - _ROUNDING)))
    return zones * math.ceil((needed + lost_instances) / (zones - lost_zones))
