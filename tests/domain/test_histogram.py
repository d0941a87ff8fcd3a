from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.histogram import MAX_US, Histogram, bucket_of, middle_of

durations = st.integers(1, MAX_US)


def histogram_of(values_us):
    histogram = Histogram()
    for value_us in values_us:
        histogram.add(value_us)
    return histogram


@given(durations)
def test_a_value_is_within_one_percent_of_the_middle_of_its_bucket(value_us):
    assert middle_of(bucket_of(value_us)) == pytest.approx(value_us, rel=0.01, abs=0.5)


@given(durations, durations)
def test_greater_values_never_fall_into_lower_buckets(one_us, other_us):
    low_us, high_us = sorted((one_us, other_us))

    assert bucket_of(low_us) <= bucket_of(high_us)


@given(st.lists(durations), st.lists(durations))
def test_merging_equals_recording_everything_in_one(first_us, second_us):
    merged = histogram_of(first_us).merge(histogram_of(second_us).counts)

    assert histogram_of([*first_us, *second_us]).counts == merged.counts
    assert Counter(map(bucket_of, [*first_us, *second_us])) == merged.counts


@given(st.lists(durations, min_size=1), st.floats(0, 1))
def test_quantiles_are_those_of_the_sorted_values(values_us, q):
    histogram = histogram_of(values_us)
    expected_us = sorted(values_us)[int(q * (len(values_us) - 1))]

    assert expected_us == pytest.approx(histogram.quantile_us(q), rel=0.01, abs=0.5)


def test_an_empty_histogram_has_no_quantile():
    with pytest.raises(ValueError, match="no quantile"):
        Histogram().quantile_us(0.5)


def test_values_out_of_range_are_clamped_not_lost():
    histogram = histogram_of([-5, MAX_US * 10])

    assert 2 == histogram.total
    assert MAX_US == pytest.approx(histogram.quantile_us(1.0), rel=0.01)
