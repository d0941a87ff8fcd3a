"""The fullest of several processes, against connections that are really dealt out by chance."""

import numpy as np
import pytest

from capacity.models.sharing import connections_until_fullest, excesses, is_by_chance


def dealt_until_full(room, processes, random):
    """Deal connections by chance until a process has more than *room*; return how many were dealt."""
    chosen = random.integers(0, processes, size=room * processes + 1)
    counts = np.cumsum(chosen[:, None] == np.arange(processes), axis=0).max(axis=1)
    return int(np.searchsorted(counts, room, side="right"))


@pytest.mark.parametrize("processes", [2, 3, 8, 16])
def test_the_median_and_the_tails_are_those_of_chance(processes):
    random, room = np.random.default_rng(7), 600
    dealt = [dealt_until_full(room, processes, random) for _ in range(400)]
    excess = excesses(processes, np.array([0.9, 0.5, 0.1]))
    low, middle, high = connections_until_fullest(room, processes, 1, excess)

    assert middle == pytest.approx(np.median(dealt), rel=0.01)
    assert 0.7 < np.mean([low <= n <= high for n in dealt]) < 0.9


def test_the_excess_of_two_is_half_normal():
    assert excesses(2, np.array([0.5]))[0] == pytest.approx(0.6745 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("processes", [2, 4, 8])
def test_a_split_by_chance_is_recognized(processes):
    random, recognized = np.random.default_rng(3), 0
    for _ in range(200):
        counts = random.multinomial(150, np.full(processes, 1 / processes))
        recognized += is_by_chance(counts.max() - 150 / processes, processes, 150.0)

    assert recognized >= 188


def test_a_process_that_is_preferred_is_no_chance():
    assert not is_by_chance(0.7 * 300 - 150, 2, 300.0)
    assert not is_by_chance(0.4 * 300 - 75, 4, 300.0)


def test_no_room_is_no_connection():
    assert connections_until_fullest(0.0, 4, 1, np.array([0.5]))[0] == 0.0
    assert connections_until_fullest(-3.0, 4, 1, np.array([0.5]))[0] == 0.0


def test_the_fullest_is_full_where_its_share_and_its_excess_meet_the_room():
    found = connections_until_fullest(100.0, 4, 1.0, np.array([0.0, 2.0]))

    # n/4 + 2·√(n/4) = 100 at √(n/4) = √101 − 1.
    assert found == pytest.approx([400.0, 4 * (101**0.5 - 1) ** 2])
    assert connections_until_fullest(100.0, 4, 4.0, np.array([0.0])) == pytest.approx([100.0])


def test_an_excess_may_be_chance_up_to_what_98_of_100_stay_below():
    """Of two, the larger of two normals is above their mean by |difference| / 2: 2.3263 / √2."""
    most = 2.3263 / 2**0.5 * (150 / 2) ** 0.5

    assert is_by_chance(0.97 * most, 2, 150.0)
    assert not is_by_chance(1.03 * most, 2, 150.0)
