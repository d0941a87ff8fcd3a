import math

import pytest

from capacity.domain.estimates import Estimate


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1.0, 3.0, (1.0, 3.0)), (2.5, 3.0, (2.0, 3.0)), (1.0, 1.5, (1.0, 2.0))],
    ids=["around it", "above it", "below it"],
)
def test_an_interval_is_moved_to_hold_what_is_most_likely(low, high, expected):
    found = Estimate.around(2.0, low, high, 0.9)

    assert (found.low, found.high) == expected
    assert (found.mid, found.confidence) == (2.0, 0.9)


def test_what_was_counted_is_certain():
    assert Estimate.exactly(7.0) == Estimate(low=7.0, mid=7.0, high=7.0, confidence=1.0)


def test_without_an_upper_end_it_is_not_bounded():
    assert not Estimate.around(2.0, 1.0, math.inf, 0.9).is_bounded
    assert Estimate.exactly(2.0).is_bounded
