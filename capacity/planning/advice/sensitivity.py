"""
What becomes of the capacity when one wall moves.

The capacity is the lowest ceiling, so a wall that is not the lowest changes nothing until it is. Of
a wall's own ceiling N = (L − b₀) / (b·d) the elasticity to the limit is L / (L − b₀), which is at
least 1, and to the cost −1.
"""

from capacity.domain.answers.sizing import Sensitivity
from capacity.domain.plan import CapacityPlan

CHANGE_RATIO = 0.1


def sensitivities(plan: CapacityPlan) -> tuple[Sensitivity, ...]:
    """Return one entry a wall, in the order of the ladder."""
    found = []
    for wall in plan.ladder:
        limit = wall.limit.value
        assert limit is not None, "a wall has a known limit"
        others = min(
            (other.ceiling.mid for other in plan.ladder if other is not wall),
            default=float("inf"),
        )
        elasticity = limit / max(limit - wall.cost.baseline.mid, 1e-9 * limit)
        ceiling = wall.ceiling.mid
        found.append(
            Sensitivity(
                resource=wall.resource,
                limit_elasticity=elasticity,
                capacity_with_more_limit=min(others, ceiling * (1.0 + CHANGE_RATIO * elasticity)),
                capacity_with_less_cost=min(others, ceiling / (1.0 - CHANGE_RATIO)),
            )
        )
    return tuple(found)
