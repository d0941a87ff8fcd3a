"""
Whether the highest load has to be held on: as long as memory rises there, a cost is not settled.

What a garbage collector leaves until its next turn, and what fills buffers, comes with time. The climb
ends at plateaus of seconds; where memory rose on the last one by more than RISING_RATIO of what the
connections took, the same load is held HOLD_RATIO times as long once more, up to MOST_HOLDS times. Nothing is loaded beyond
what the target bore already, and the guards go on watching.
"""

from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.planning.evidence.rises import rise_of
from capacity.planning.evidence.windows import offset_of, plateau_windows, samples_on_plateaus

HOLD_RATIO = 3.0
MOST_HOLDS = 3


def is_settling(record: RunRecord) -> bool:
    """Tell whether memory rose materially on the last plateau of the mix with most connections."""
    offset_s = offset_of(record.manifest.clock_offset)
    read = samples_on_plateaus(record, plateau_windows(record.steps, record.samples, offset_s))
    mixes = [(step.step, samples) for step, samples in read if step.step.is_mix]
    rests = [samples for step, samples in read if not step.step.connections]
    if not mixes:
        return False
    most = max(step.connections for step, _ in mixes)
    top = [samples for step, samples in mixes if step.connections == most][-1]
    rise = rise_of(top, Resource.MEMORY)
    at_rest = [s.used[Resource.MEMORY] for each in rests for s in each if Resource.MEMORY in s.used]
    return rise is not None and rise.is_material(min(at_rest, default=0.0))
