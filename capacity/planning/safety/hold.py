"""
Whether the highest load has to be held on: as long as memory rises there, a cost is not settled.

What a garbage collector leaves until its next turn, and what fills buffers, comes with time. The climb
ends at plateaus of seconds; where memory rose on the last one by more than RISING_RATIO of what the
connections took, the same load is held HOLD_RATIO times as long once more, up to MOST_HOLDS times. That holds also where it
rose on the plateau before, which had the same connections with their updates and lacked the requests alone: a
runtime that collects for each connection (BEAM) takes what it keeps in steps, between which nothing moves. Nothing is loaded beyond
what the target bore already, and the guards go on watching.
"""

from capacity.domain.load import LoadStep
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.planning.evidence.rises import rise_of
from capacity.planning.evidence.windows import offset_of, plateau_windows, samples_on_plateaus

HOLD_RATIO = 3.0
MOST_HOLDS = 3


def is_settling(record: RunRecord) -> bool:
    """Tell whether memory rose materially on the last plateau of the mix with most connections.

    The one before it counts as well where it had the same connections with their updates.
    """
    offset_s = offset_of(record.manifest.clock_offset)
    read = samples_on_plateaus(record, plateau_windows(record.steps, record.samples, offset_s))
    mixes = [place for place, (step, _) in enumerate(read) if step.step.is_mix]
    rests = [samples for step, samples in read if not step.step.connections]
    if not mixes:
        return False
    most = max(read[place][0].step.connections for place in mixes)
    last = max(place for place in mixes if read[place][0].step.connections == most)
    tops = [read[last][1]]
    if last and _has_its_updates(read[last - 1][0].step, most):
        tops.append(read[last - 1][1])
    at_rest = [s.used[Resource.MEMORY] for each in rests for s in each if Resource.MEMORY in s.used]
    rises = [rise_of(samples, Resource.MEMORY) for samples in tops]
    return any(rise.is_material(min(at_rest, default=0.0)) for rise in rises if rise is not None)


def _has_its_updates(step: LoadStep, connections: int) -> bool:
    """Tell whether a step is the mix of so many *connections* but for the requests."""
    follows = step.subscriptions_per_connection > 0
    return step.connections == connections and follows and not step.is_mix
