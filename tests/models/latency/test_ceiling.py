import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.latency.ceiling import (
    _median,
    connections_at_latency,
    corrected,
    scatter_around_line,
    within_what_was_seen,
)
from capacity.models.latency.misses import SCATTERED, Miss
from capacity.models.lines import least_squares_line, relative_line, theil_sen_line

LOADS = [1000.0, 2000.0, 3000.0, 4000.0, 5000.0]
MEDIANS = [0.010 + 5e-6 * load for load in LOADS]


def test_a_tail_in_proportion_to_the_connections_is_forecast_exactly() -> None:
    medians, tails = [5e-6 * n for n in LOADS], [2e-5 * n for n in LOADS]

    assert pytest.approx(25_000) == connections_at_latency(LOADS, medians, tails, 0.5)


def test_one_stalled_step_moves_the_forecast_little() -> None:
    medians, tails = [5e-6 * n for n in LOADS], [2e-5 * n for n in LOADS]
    tails[1] *= 5.0

    assert pytest.approx(25_000, rel=0.25) == connections_at_latency(LOADS, medians, tails, 0.5)


def test_a_tail_that_does_not_grow_never_meets_its_limit() -> None:
    falling = [0.1 - 1e-6 * n for n in LOADS]

    assert math.inf == connections_at_latency(LOADS, falling, falling, 1.0)


@given(
    limits=st.tuples(st.floats(1e-3, 10.0), st.floats(1e-3, 10.0)),
    noise=st.lists(st.floats(0.5, 2.0), min_size=5, max_size=5),
)
def test_a_higher_limit_never_lowers_the_forecast(limits, noise) -> None:
    tails = [2.0 * m * factor for m, factor in zip(MEDIANS, noise, strict=True)]
    low, high = (connections_at_latency(LOADS, MEDIANS, tails, limit) for limit in sorted(limits))

    assert low <= high


@given(order=st.permutations(range(5)))
def test_the_order_of_the_steps_does_not_matter(order) -> None:
    tails = [2.0 * m + 0.001 * (n % 3) for n, m in enumerate(MEDIANS)]
    straight = connections_at_latency(LOADS, MEDIANS, tails, 0.5)
    shuffled = connections_at_latency(
        *([v[n] for n in order] for v in (LOADS, MEDIANS, tails)), 0.5
    )

    assert pytest.approx(straight) == shuffled


def test_the_learned_bias_is_taken_off() -> None:
    table = [Miss(ratio=r, log_bias=0.1, half_width_90=0.2) for r in (1.0, 2.0)]

    assert pytest.approx(1000.0 * math.exp(0.1)) == corrected(1000.0, 500.0, table)


@pytest.mark.parametrize(("forecast", "log_bias"), [(1000.0, 0.074), (2000.0, 0.007)])
def test_the_bias_is_that_of_the_reach_beyond_the_highest_load(forecast, log_bias) -> None:
    assert corrected(forecast, 500.0) == pytest.approx(forecast * math.exp(log_bias))


@given(limit=st.floats(1000.0, 1e6))
def test_the_correction_keeps_the_order_of_forecasts(limit) -> None:
    assert corrected(limit, 1000.0, SCATTERED) <= corrected(limit * 1.01, 1000.0, SCATTERED)


@pytest.mark.parametrize(
    ("forecast", "expected"), [(500.0, 2000.0), (2500.0, 2500.0), (9000.0, 3000.0)]
)
def test_a_forecast_stays_between_what_passed_and_what_failed(forecast, expected) -> None:
    seen = within_what_was_seen(np.array([forecast]), LOADS, [0.1, 0.2, 0.6, 0.4, 0.9], 0.5)

    assert expected == seen[0]


def test_a_straight_line_does_not_scatter_and_planted_noise_is_found() -> None:
    random = np.random.default_rng(4)
    loads = np.linspace(100.0, 1000.0, 40)
    line = 0.01 + 0.0004 * loads
    noisy = line * (1.0 + 0.1 * random.standard_normal(40))

    assert scatter_around_line(list(loads), list(line)) == pytest.approx(0.0, abs=1e-9)
    assert scatter_around_line(list(loads), list(noisy)) == pytest.approx(0.1, rel=0.35)


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([3.0], 3.0),
        ([3.0, 1.0], 2.0),
        ([9.0, 1.0, 2.0], 2.0),
        ([1.0, 2.0, 4.0, 9.0], 3.0),
        ([1.0, math.inf, math.inf], math.inf),
        ([math.inf, math.inf], math.inf),
    ],
)
def test_the_median_is_between_the_two_in_the_middle(values, middle) -> None:
    assert middle == _median(values)


@pytest.mark.parametrize("seed", range(30))
def test_the_forecast_is_the_median_of_the_six_lines(seed) -> None:
    random = np.random.default_rng(seed)
    loads, limit_s = np.array([100.0, 250.0, 400.0, 500.0]), 0.4
    medians = (0.01 + 1e-4 * loads) * random.uniform(0.8, 1.2, 4)
    tails = medians * random.uniform(2.0, 4.0, 4)
    (b1, s1), (b2, s2), (b3, s3), (bm, sm), (bt, st_) = (
        least_squares_line(loads, tails),
        theil_sen_line(loads, tails),
        relative_line(loads, tails),
        relative_line(loads, medians),
        relative_line(loads, tails - medians),
    )
    times = np.median(tails / medians)
    lines = [(b1, s1), (b2, s2), (b3, s3), (0.0, np.median(tails / loads))]
    lines += [(times * bm, times * sm), (bm + bt, sm + st_)]
    crossings = [(limit_s - b) / s if s > 0 else math.inf for b, s in lines]

    assert connections_at_latency(loads, medians, tails, limit_s) == pytest.approx(
        np.median(crossings)
    )


def test_scatter_has_a_degree_of_freedom_less_for_each_coefficient() -> None:
    loads, tails = np.array([100.0, 200.0, 300.0, 400.0]), np.array([0.1, 0.25, 0.28, 0.43])
    intercept, slope = relative_line(loads, tails)
    squares = float(np.sum((tails / (intercept + slope * loads) - 1.0) ** 2))

    assert scatter_around_line(loads, tails) == pytest.approx(math.sqrt(squares / 2))
    assert scatter_around_line([100.0, 200.0], [0.1, 0.15]) == pytest.approx(0.0, abs=1e-6)
    assert scatter_around_line([100.0, 100.0], [0.1, 0.3]) > 0.1


def test_a_tail_below_its_median_adds_nothing_and_a_median_of_nothing_is_no_trouble() -> None:
    assert connections_at_latency(LOADS, [0.0] * 5, [2e-5 * n for n in LOADS], 0.5) > 0.0
    below = connections_at_latency(LOADS, [2e-5 * n for n in LOADS], [1e-5 * n for n in LOADS], 0.5)
    assert below == pytest.approx(50_000)


def test_a_limit_that_is_missed_without_load_leaves_no_connection() -> None:
    tails = [1.0 + 1e-4 * n for n in LOADS]

    assert connections_at_latency(LOADS, tails, tails, 0.5) < LOADS[0]
    assert within_what_was_seen(np.array([0.5, 900.0]), LOADS, tails, 0.5).tolist() == [0.5, 900.0]
    assert within_what_was_seen(np.array([1e9]), LOADS, tails, 0.5).tolist() == [1000.0]
    kept = within_what_was_seen(np.array([1.0, 1e9]), LOADS, [0.5] * 5, 0.5)
    assert kept.tolist() == [5000.0, 1e9]
