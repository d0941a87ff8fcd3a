import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.reporting.drawing.axis import MOST_POINTS, Axis, downsampled


def make_axis(high, **kwargs):
    return Axis(label="x", high=high, text=str, **kwargs)


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (20_945.0, (0, 5_000, 10_000, 15_000, 20_000)),
        (1.0, (0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (0.0055, (0, 0.001, 0.002, 0.003, 0.004, 0.005)),
    ],
)
def test_ticks_are_round_numbers(high, expected):
    assert make_axis(high).ticks() == pytest.approx(expected)


def test_ticks_of_bytes_are_round_in_their_unit():
    mib = 1024.0**2

    assert make_axis(560 * mib, unit=mib).ticks(5) == (0, 200 * mib, 400 * mib)


def test_ticks_of_time_are_whole_minutes():
    assert make_axis(216.0, is_time=True).ticks() == (0, 60, 120, 180)


@given(st.floats(min_value=1e-9, max_value=1e13), st.booleans())
def test_every_axis_has_a_few_ticks_within_it(high, is_time):
    ticks = make_axis(high, is_time=is_time).ticks()

    assert 1 <= len(ticks) <= 7
    assert ticks[-1] <= high * (1 + 1e-9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4_000))
def test_downsampling_keeps_the_extremes_and_the_bound(values):
    points = [(float(x), y) for x, y in enumerate(values)]

    kept = downsampled(points)

    assert len(kept) <= MOST_POINTS
    assert set(kept) <= set(points)
    assert min(y for _, y in kept) == min(values)
    assert max(y for _, y in kept) == max(values)
    assert list(kept) == sorted(kept)


def test_a_single_spike_in_an_hour_is_still_seen():
    points = [(float(x), 99.0 if x == 1_801 else 1.0) for x in range(3_600)]

    assert (1_801.0, 99.0) in downsampled(points)


def test_a_gap_stays_a_gap():
    points = [(float(x), None if 1_000 <= x < 1_400 else 1.0) for x in range(3_600)]

    gaps = [x for x, y in downsampled(points) if y is None]

    assert gaps
    assert all(1_000 <= x < 1_412 for x in gaps)
