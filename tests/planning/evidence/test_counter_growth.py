"""What counters grew by, and connects that were dropped."""

import runpy
from pathlib import Path

import pytest

from capacity.planning.evidence.counter_growth import grown, own_drops

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]


def sample(**counters):
    return sample_of(counters=counters)


@pytest.mark.parametrize(
    ("was", "is_now", "expected"),
    [
        ({"a": 2.0}, {"a": 5.0}, 3.0),
        ({"a": 2.0}, {"a": 2.0}, 0.0),
        ({"a": 5.0}, {"a": 2.0}, None),
        ({}, {"a": 2.0}, None),
        ({"a": 2.0}, {}, None),
    ],
)
def test_a_counter_grew_by_the_difference_if_it_was_read(was, is_now, expected):
    assert expected == grown(sample(**was), sample(**is_now), "a")


def test_what_is_too_little_is_not_told():
    assert grown(sample(a=0.0), sample(a=9.0), "a", least=10.0) is None
    assert 10.0 == grown(sample(a=0.0), sample(a=10.0), "a", least=10.0)


@pytest.mark.parametrize(
    ("own", "of_all", "expected"),
    [(5.0, 3.0, 3.0), (2.0, 3.0, 2.0), (2.0, None, 2.0), (None, 3.0, None)],
)
def test_drops_are_those_that_the_namespace_counts_as_well(own, of_all, expected):
    read = {"target_listen_drops": own, "listen_drops": of_all}
    before = sample(**{name: 0.0 for name, value in read.items() if value is not None})
    after = sample(**{name: value for name, value in read.items() if value is not None})

    assert expected == own_drops(before, after)
