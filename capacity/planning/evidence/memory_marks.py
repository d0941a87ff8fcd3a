"""
How far memory rose above its use within a step, as the kernel's high-water mark tells.

Use and mark are those of one account (domain/sample.py). A mark that did not rise within the step
belongs to an earlier moment, and says nothing about this one. Where it counts file cache, what it
counted when it rose is taken off.
"""

from collections.abc import Sequence

from capacity.domain.resources import Resource
from capacity.domain.sample import MemoryReading, Sample
from capacity.planning.evidence.plausible import is_plausible

_OLD_CHARGE, _OLD_MARK = "cgroup_memory_bytes", "cgroup_memory_peak_bytes"
"""Gauges of agents that sent no MemoryReading: of the cgroup in which the process lives."""


def memory_of(sample: Sample) -> MemoryReading | None:
    """Return use and mark of the account that is limited, None where they are not told."""
    reading = sample.memory or _from_gauges(sample)
    numbers = reading and (reading.use_bytes, reading.charged_bytes, reading.high_water_bytes)
    return reading if numbers and all(map(is_plausible, numbers)) else None


def burst_above(plateau: Sequence[Sample], step: Sequence[Sample]) -> float | None:
    """Return by how many bytes the mark rose above the mean use on the *plateau*; ≥ 0.

    *step* are the samples from the last one before the step to the end of its plateau. None where
    the mark did not rise in them, or where they are not all of one account.
    """
    readings = [reading for sample in step if (reading := memory_of(sample))]
    uses = [reading.use_bytes for sample in plateau if (reading := memory_of(sample))]
    if not uses or len({reading.account for reading in readings}) != 1:
        return None
    marks = [reading.high_water_bytes for reading in readings]
    if marks[-1] <= marks[0]:
        return None
    rose = marks.index(marks[-1])
    cache = max(one.charged_bytes - one.use_bytes for one in readings[max(rose - 1, 0) : rose + 1])
    return max(0.0, marks[-1] - cache - sum(uses) / len(uses))


def _from_gauges(sample: Sample) -> MemoryReading | None:
    """Return what an older record tells, if its gauges are of the cgroup that is limited.

    They are not where the use is what the processes have resident, or more than is charged.
    """
    use = sample.used.get(Resource.MEMORY)
    charged, mark = sample.gauges.get(_OLD_CHARGE), sample.gauges.get(_OLD_MARK)
    if use is None or charged is None or mark is None:
        return None
    if use == sample.gauges.get("resident_bytes") or use > charged:
        return None
    return MemoryReading(
        account=_OLD_CHARGE, use_bytes=use, charged_bytes=charged, high_water_bytes=mark
    )
