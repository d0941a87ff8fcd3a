"""Durations by the thousand into the buckets of a histogram (domain.histogram), in one go."""

from collections.abc import Sequence

import numpy as np

from capacity.domain.histogram import MAX_US, SUB_BUCKET_BITS


def folded(durations_us: Sequence[float]) -> dict[int, int]:
    """Return bucket -> count of *durations_us*; what lies outside the buckets is clamped."""
    whole_us = np.clip(np.array(durations_us, dtype=np.float64), 0, MAX_US).astype(np.int64)
    _, bit_lengths = np.frexp(whole_us)
    exponents = np.maximum(bit_lengths - SUB_BUCKET_BITS - 1, 0)
    counts = np.bincount((exponents << SUB_BUCKET_BITS) + (whole_us >> exponents))
    buckets = np.flatnonzero(counts)
    return dict(zip(buckets.tolist(), counts[buckets].tolist(), strict=True))
