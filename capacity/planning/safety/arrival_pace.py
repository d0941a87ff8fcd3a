"""How fast connections may be opened, so that arrivals alone take no more than a share of a processor."""

import math

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.planning.costs.ramps import CPU_RESOURCES, excess_s, ramps
from capacity.planning.evidence.effective_limits import known_value
from capacity.planning.evidence.plausible import is_plausible
from capacity.planning.evidence.windows import offset_of


def arrival_pace_per_s(record: RunRecord, answer: CapacityPlan | Excuse, fraction: float) -> float:
    """Return the connections a second whose arrival takes *fraction* of the scarcest processor time.

    From what all ramps so far took beyond the fitted lines; infinite where they took nothing that shows,
    or where no limit is known.
    """
    if isinstance(answer, Excuse):
        return math.inf
    points = sorted(
        (point for point in record.points if is_plausible(point.at)), key=lambda point: point.at
    )
    offset_s = offset_of(record.manifest.clock_offset)
    found = [ramp for ramp in ramps(record) if ramp.opened]
    pace_per_s = math.inf
    for wall in answer.ladder:
        limit = known_value(wall.limit)
        if wall.resource not in CPU_RESOURCES or wall.cost is None or not limit:
            continue
        taken = [
            (taken_s, ramp.opened)
            for ramp in found
            if (taken_s := excess_s(ramp, points, wall.cost, offset_s)) is not None
        ]
        total_s = sum(taken_s for taken_s, _ in taken)
        if total_s > 0.0:
            each_s = total_s / sum(opened for _, opened in taken)
            pace_per_s = min(pace_per_s, fraction * limit / each_s)
    return pace_per_s
