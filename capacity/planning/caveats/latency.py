"""Doubts about an objective's ceiling where a law that bends foretells the latency better."""

from collections.abc import Iterator, Sequence

from capacity.domain import units
from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.plan import Wall
from capacity.domain.words import RESOURCES
from capacity.models.latency.laws import better_law
from capacity.planning.bottlenecks.latency_objectives import LatencyUse
from capacity.planning.caveats.near import is_near


def latency_doubts(
    uses: Sequence[LatencyUse], walls: Sequence[Wall], capacity: Estimate
) -> Iterator[Doubt]:
    """Yield one for each objective that such a law meets below the interval of its ceiling."""
    by_resource = {wall.resource: wall for wall in walls}
    for use in uses:
        wall = by_resource.get(use.limit.resource)
        if wall is None or not is_near(wall, capacity):
            continue
        law = better_law(use.connections, use.medians_s, use.tails_s, use.limit.value or 0.0)
        if law is None or law.connections >= wall.ceiling.low:
            continue
        yield Doubt(
            kind=DoubtKind.BENDING,
            statement=(
                f"{RESOURCES[wall.resource].capitalize()} at the highest level was predicted better"
                f" by {law.name} (error {units.share(law.error)}) than by a straight line (error"
                f" {units.share(law.error_of_lines)}). That law reaches the SLO at"
                f" {units.about(law.connections)} connections, not at {units.middle(wall.ceiling)}."
            ),
            remedy=f"Add a step at {units.about(law.connections)} connections.",
        )
