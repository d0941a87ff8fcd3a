"""How new connections follow each other."""

import random
import statistics

import pytest

from capacity.workload.profiles.arrivals import gap_s, longest_gap_s, opens_at_s


def gaps_s(arrivals, per_s, count=20_000, seed=7):
    chance = random.Random(seed)
    return [gap_s(arrivals, per_s, chance.random()) for _ in range(count)]


@pytest.mark.parametrize("per_s", [0.5, 200.0])
def test_even_arrivals_are_all_the_same_time_apart(per_s):
    assert {1 / per_s} == set(gaps_s("even", per_s))


@pytest.mark.parametrize("per_s", [0.5, 200.0])
def test_a_poisson_process_has_exponential_gaps(per_s):
    gaps = sorted(gaps_s("poisson", per_s))
    mean_s = statistics.mean(gaps)

    assert abs(mean_s * per_s - 1) < 0.03
    assert abs(statistics.pstdev(gaps) / mean_s - 1) < 0.03
    for share in (0.1, 0.5, 0.9):  # The exponential distribution's own quantiles: -ln(1 - q)/rate.
        expected_s = {0.1: 0.10536, 0.5: 0.69315, 0.9: 2.30259}[share] / per_s
        assert abs(gaps[int(share * len(gaps))] / expected_s - 1) < 0.05


@pytest.mark.parametrize(("arrivals", "longest_s"), [("even", 2.0), ("poisson", 10.0)])
def test_hardly_any_gap_is_longer_than_the_longest(arrivals, longest_s):
    gaps = gaps_s(arrivals, 0.5)

    assert longest_s == longest_gap_s(arrivals, 0.5)
    assert sum(gap > longest_s for gap in gaps) <= len(gaps) / 100


@pytest.mark.parametrize(("per_s", "longest_s"), [(200.0, 1.0), (0.5, 2.0)])
def test_who_comes_together_waits_for_the_next_second_at_least(per_s, longest_s):
    assert longest_s == longest_gap_s("together", per_s)


def test_a_poisson_process_scatters_the_counts_of_equal_times_by_their_mean():
    counts, at_s = [0] * 200, 0.0
    for gap in gaps_s("poisson", 100.0):
        at_s += gap
        if at_s < 200:
            counts[int(at_s)] += 1
    counts = counts[: int(at_s)]

    assert 0.75 < statistics.pvariance(counts) / statistics.mean(counts) < 1.25


def test_no_chance_makes_a_gap_negative_or_endless():
    assert 0.0 == gap_s("poisson", 1.0, 0.0)
    assert 30 < gap_s("poisson", 1.0, 1 - 2**-53) < 40


def test_together_all_turns_of_a_second_open_at_its_start():
    turns_s = [1000.0 + n / 8 for n in range(16)]

    assert [opens_at_s("together", turn_s) for turn_s in turns_s] == [1000.0] * 8 + [1001.0] * 8
    assert [opens_at_s("even", turn_s) for turn_s in turns_s] == turns_s
