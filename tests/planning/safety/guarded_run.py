"""A run of ten samples whose counters grow as planted, and bounds for it."""

import runpy
from pathlib import Path

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.safety.trip import Bounds

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]

BOUNDS = Bounds(
    used_ratio=0.9,
    throttled_ratio=0.05,
    retransmitted_ratio=0.01,
    memory_pressure_ratio=0.1,
    failed_opens_ratio=0.1,
)
DESCRIPTORS = Limit(
    resource=Resource.DESCRIPTORS,
    state=LimitState.KNOWN,
    value=1000.0,
    scope="process",
    source="/proc/PID/limits",
)


def sample(seq, used=None, counters=None, **changes):
    return sample_of(seq, used=used or {}, counters=counters or {}, **changes)


def run_of(**counters):
    """Ten samples in which each counter goes from its first to its second value."""
    return [
        sample(
            seq,
            counters={name: low + (high - low) * seq / 9 for name, (low, high) in counters.items()},
        )
        for seq in range(10)
    ]
