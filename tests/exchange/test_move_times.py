from collections import Counter
from itertools import islice, takewhile
from random import Random
from statistics import fmean, pvariance

import pytest

from capacity.exchange.move_times import arrival_times_s
from capacity.exchange.options import Burstiness


def counts_per_s(burstiness, *, rate_per_s, duration_s):
    times_s = arrival_times_s(burstiness, rate_per_s=rate_per_s, phase=0.0, rng=Random(7))
    counts = Counter(int(at_s) for at_s in takewhile(lambda at_s: at_s < duration_s, times_s))
    return [counts[second] for second in range(duration_s)]


def test_steady_arrivals_are_even_and_start_at_their_phase():
    times_s = arrival_times_s(Burstiness.STEADY, rate_per_s=4.0, phase=0.5, rng=Random(7))

    assert list(islice(times_s, 4)) == [0.125, 0.375, 0.625, 0.875]


@pytest.mark.parametrize(
    ("burstiness", "dispersion_index"),
    [(Burstiness.STEADY, 0.0), (Burstiness.POISSON, 1.0), (Burstiness.BURSTY, 15.0)],
)
def test_rate_and_dispersion_are_as_documented(burstiness, dispersion_index):
    counts = counts_per_s(burstiness, rate_per_s=20.0, duration_s=4_000)

    assert fmean(counts) == pytest.approx(20.0, rel=0.05)
    assert pvariance(counts) / fmean(counts) == pytest.approx(dispersion_index, rel=0.15)


@pytest.mark.parametrize("burstiness", list(Burstiness))
def test_times_rise(burstiness):
    times_s = arrival_times_s(burstiness, rate_per_s=3.0, phase=0.2, rng=Random(1))
    first = list(islice(times_s, 500))

    assert first == sorted(first)
    assert first[0] >= 0


def test_a_very_low_bursty_rate_still_arrives():
    counts = counts_per_s(Burstiness.BURSTY, rate_per_s=0.01, duration_s=200_000)

    assert sum(counts) == pytest.approx(2_000, rel=0.35)
