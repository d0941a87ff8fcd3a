"""How fast connections may be opened, so that arrivals alone take no more than a share of a processor."""

import math

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.planning.costs.ramps import CPU_RESOURCES, excesses_s
from capacity.planning.evidence.effective_limits import known_value


def arrival_pace_per_s(record: RunRecord, answer: CapacityPlan | Excuse, fraction: float) -> float:
    """Return the connections a second whose arrival takes *fraction* of the scarcest processor time.

    From what all ramps so far took beyond the fitted lines; infinite where they took nothing that shows,
    or where no limit is known.
    """
    if isinstance(answer, Excuse):
        return math.inf
    pace_per_s = math.inf
    for wall in answer.ladder:
        limit = known_value(wall.limit)
        if wall.resource not in CPU_RESOURCES or not limit:
            continue
        read = [
            (ramp.opened, taken_s) for ramp, taken_s in excesses_s(record, wall.cost) if ramp.opened
        ]
        total_s = sum(taken_s for _opened, taken_s in read)
        if total_s > 0.0:
            each_s = total_s / sum(opened for opened, _taken_s in read)
            pace_per_s = min(pace_per_s, fraction * limit / each_s)
    return pace_per_s
