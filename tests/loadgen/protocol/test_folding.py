from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.histogram import MAX_US, bucket_of
from capacity.loadgen.protocol.folding import folded


@given(st.lists(st.integers(-MAX_US, 2 * MAX_US) | st.integers(0, 1000), min_size=1))
def test_durations_fall_into_the_buckets_that_the_histogram_gives_them(durations_us):
    assert Counter(map(bucket_of, durations_us)) == folded(durations_us)


@given(st.integers(1, 31))
def test_the_edges_of_the_buckets_are_where_the_histogram_has_them(bits):
    edges_us = [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]

    assert Counter(map(bucket_of, edges_us)) == folded(edges_us)


def test_parts_of_a_microsecond_are_cut_off():
    assert folded([7.0, 7.9]) == folded([7, 7])
