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


@pytest.mark.parametrize(
    ("table", "ratio", "bias", "half_width"),
    [
        (SCATTERED, 1.333, 0.036, 0.219),
        (SCATTERED, 2.0, 0.074, 0.283),
        (SCATTERED, 4.0, 0.007, 0.662),
        (STEADY, 1.333, 0.0, 0.045),
        (STEADY, 2.0, 0.0, 0.055),
        (STEADY, 4.0, 0.0, 0.06),
        # Linear in the logarithm of the ratio, and on with the last slope, but for the bias.
        (SCATTERED, 2.0**1.5, 0.0405, 0.4725),
        (SCATTERED, 8.0, 0.007, 1.041),
        (SCATTERED, 1.0, 0.036, 0.219),
    ],
)
def test_what_was_learned_is_what_the_tables_say(table, ratio, bias, half_width) -> None:
    found = miss_at(ratio, table)

    assert (found.ratio, found.log_bias, found.half_width_90) == pytest.approx(
        (ratio, bias, half_width)
    )


@pytest.mark.parametrize(
    ("scatter", "share"), [(0.04, 0.0), (0.0400001, 0.0), (0.04 * 2.5**0.25, 0.25), (0.0999, 0.9989)]
)  # fmt: skip
def test_between_the_tables_the_share_grows_with_the_logarithm_of_the_scatter(
    scatter, share
) -> None:
    found = misses_of(scatter)[1]

    assert found.half_width_90 == pytest.approx(0.055 + share * (0.283 - 0.055), rel=1e-3)
    assert found.log_bias == pytest.approx(share * 0.074, abs=1e-4)
    assert found.ratio == 2
