"""Which walls matter to a caveat: those that stand near the capacity."""

from capacity.domain.caveats import NEAR_RATIO
from capacity.domain.estimates import Estimate
from capacity.domain.plan import Wall


def is_near(wall: Wall, capacity: Estimate) -> bool:
    """Tell whether *wall* may stand within NEAR_RATIO times the *capacity*."""
    return wall.ceiling.low < NEAR_RATIO * capacity.mid
