"""What a run that holds the same loads for hours keeps in memory: of each load the newest steps.

A plan on the way is made from them; the record on disk is whole, and so is the plan made from that.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from capacity.domain.observation import StepObservation
from capacity.domain.sample import Sample

NEWEST_OF_A_LOAD = 3


def outdated(steps: Sequence[StepObservation]) -> set[int]:
    """Return the indexes of the steps that enough newer ones repeat; never the first one's, which is
    what a run began from.
    """
    newer: Counter[object] = Counter()
    found = set()
    for step in reversed(steps):
        if newer[step.step] >= NEWEST_OF_A_LOAD and step.index > 0:
            found.add(step.index)
        newer[step.step] += 1
    return found


def forget_samples(
    samples: list[Sample], steps: Sequence[StepObservation], gone: set[int], offset_s: float
) -> None:
    """Put in the place of each of the *samples* of steps that are *gone* the last one before them.

    So everything stays in its place. *steps* are in their order; those that are gone are among them and
    the last one is not. *offset_s* is the clock of the samples minus that of the steps.
    """
    spans = [
        (step.started_at + offset_s, following.started_at + offset_s)
        for step, following in pairwise(steps)
        if step.index in gone
    ]
    for n in range(1, len(samples)):
        if any(began_at <= samples[n].at < ended_at for began_at, ended_at in spans):
            samples[n] = samples[n - 1]


def different(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Return *samples* without those that only fill a place."""
    return (*samples[:1], *(sample for before, sample in pairwise(samples) if sample is not before))
