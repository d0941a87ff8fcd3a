import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.latency.misses import SCATTERED, STEADY, Miss, miss_at, misses_of


@pytest.mark.parametrize("miss", SCATTERED)
def test_the_table_holds_at_its_nodes(miss: Miss) -> None:
    found = miss_at(miss.ratio)

    assert pytest.approx((miss.log_bias, miss.half_width_90)) == (
        found.log_bias,
        found.half_width_90,
    )


@given(ratios=st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e4)))
def test_a_longer_reach_never_narrows_the_interval(ratios) -> None:
    near, far = (miss_at(ratio) for ratio in sorted(ratios))

    assert near.half_width_90 <= far.half_width_90


def test_the_noise_of_a_percentile_stays_where_nothing_is_extrapolated() -> None:
    assert SCATTERED[0].half_width_90 == miss_at(0.5).half_width_90


def test_the_bias_does_not_run_away_beyond_the_table() -> None:
    assert pytest.approx(SCATTERED[-1].log_bias) == miss_at(1000.0).log_bias


def test_sigma_gives_the_90_percent_interval_back() -> None:
    assert (
        pytest.approx(0.329, abs=1e-3) == Miss(ratio=1.0, log_bias=0.0, half_width_90=0.5411).sigma
    )


def test_steady_percentiles_have_the_table_of_steady_ones_and_scattered_ones_theirs() -> None:
    assert misses_of(0.0) == misses_of(0.03) == STEADY
    assert misses_of(0.1) == misses_of(3.0) == SCATTERED


@given(scatters=st.tuples(st.floats(0.0, 2.0), st.floats(0.0, 2.0)), ratio=st.floats(1.0, 50.0))
def test_more_scatter_never_narrows_the_interval(scatters, ratio) -> None:
    less, more = (miss_at(ratio, misses_of(scatter)) for scatter in sorted(scatters))

    assert less.half_width_90 <= more.half_width_90 + 1e-12
