import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.warm_up import warm_up_batches


@pytest.mark.parametrize("length", [1, 2, 4])
def test_a_planted_warm_up_is_nearly_always_left_out(length):
    planted = np.where(np.arange(20) < length, 0.5, 0.0)
    cuts = [
        warm_up_batches(1.0 + planted + 0.01 * np.random.default_rng(seed).standard_normal(20))
        for seed in range(40)
    ]

    assert np.mean(np.array(cuts) >= length) >= 0.85
    assert set(cuts) - set(range(length, 10)) <= {0}


def test_noise_alone_is_seldom_cut_and_by_little():
    cuts = [warm_up_batches(np.random.default_rng(seed).standard_normal(15)) for seed in range(300)]

    assert np.mean(np.array(cuts) > 0) < 0.3
    assert max(cuts) <= 7


@pytest.mark.parametrize("drift", [0.1, -0.1])
def test_what_never_settles_is_left_whole(drift):
    assert warm_up_batches(drift * np.arange(12)) == 0


@given(st.lists(st.floats(0.0, 1e12), max_size=20))
def test_at_least_half_is_kept_of_anything(means):
    assert 0 <= warm_up_batches(means) <= len(means) // 2


@pytest.mark.parametrize("means", [[], [9.0, 1.0], [9.0] + [1.0] * 4])
def test_short_plateaus_are_left_whole(means):
    assert warm_up_batches(means) == 0


def settling(height):
    return np.where(np.arange(12) < 2, height, 0.0) + np.tile([1.0, -1.0], 6)


def test_a_beginning_is_left_out_where_that_halves_the_error():
    """Twelve batches of ±1: with all of them 12 + 5/3·h² in 144, without the first two 10 in 100."""
    just = ((2 * 0.1 * 144 - 12) * 3 / 5) ** 0.5

    assert warm_up_batches(settling(0.99 * just)) == 0
    assert warm_up_batches(settling(1.01 * just)) == 2


@pytest.mark.parametrize(
    ("means", "cut"),
    [([9.0, 9.0, 1.0, 1.0, 1.0, 1.0], 2), ([9.0, 9.0, 9.0, 1.0, 1.0, 1.0], 0)],
    ids=["a third", "half"],
)
def test_what_had_not_settled_after_less_than_half_is_left_whole(means, cut):
    assert warm_up_batches(means) == cut


def test_six_batches_are_enough():
    assert warm_up_batches([9.0, 1.0, 1.0, 1.0, 1.0, 1.0]) == 1
