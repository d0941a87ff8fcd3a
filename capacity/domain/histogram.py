"""Log-linear histogram of durations that merges by addition.

64 linear buckets per power of two, as in HdrHistogram (Tene, 2012): the relative error of a
recorded value is below 1/128. Values are whole microseconds from 1 µs to 1 h.
"""

from collections.abc import Mapping
from typing import Self

SUB_BUCKET_BITS = 6
_SUB_BUCKETS = 1 << SUB_BUCKET_BITS
MAX_US = 3_600_000_000


def bucket_of(value_us: int) -> int:
    """Return the index of the bucket that holds *value_us*; out of range is clamped."""
    value = min(max(value_us, 0), MAX_US)
    exponent = max(0, value.bit_length() - SUB_BUCKET_BITS - 1)
    return (exponent << SUB_BUCKET_BITS) + (value >> exponent)


def middle_of(bucket: int) -> float:
    """Return the middle of *bucket*, in microseconds."""
    if bucket < 2 * _SUB_BUCKETS:
        return float(bucket)
    exponent = (bucket >> SUB_BUCKET_BITS) - 1
    lowest = (bucket - (exponent << SUB_BUCKET_BITS)) << exponent
    return lowest + ((1 << exponent) - 1) / 2


class Histogram:
    """Counts per bucket. Equal layouts everywhere, so merging is adding."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    def add(self, value_us: int) -> None:
        bucket = bucket_of(value_us)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def merge(self, counts: Mapping[int, int]) -> Self:
        """Add the counts of another histogram of the same layout; returns itself."""
        for bucket, count in counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        return self

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def quantile_us(self, q: float) -> float:
        """Return the value below which the share *q* of the recorded values lies.

        Raises ValueError when empty: no value is not zero.
        """
        if not self.counts:
            raise ValueError("an empty histogram has no quantile")
        rank = q * (self.total - 1)
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen > rank:
                return middle_of(bucket)
        raise AssertionError("unreachable: rank is below the total")
