import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.latency_misses import MISSES, Miss, miss_at


@pytest.mark.parametrize("miss", MISSES)
def test_the_table_holds_at_its_nodes(miss: Miss) -> None:
    found = miss_at(miss.ratio)

    assert pytest.approx((miss.log_bias, miss.half_width_90)) == (
        found.log_bias,
        found.half_width_90,
    )


@given(ratios=st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e4)))
def test_a_longer_reach_never_narrows_the_interval(ratios) -> None:
    near, far = (miss_at(ratio) for ratio in sorted(ratios))

    assert near.half_width_80 <= far.half_width_80
    assert near.half_width_90 <= far.half_width_90


def test_the_noise_of_a_percentile_stays_where_nothing_is_extrapolated() -> None:
    assert MISSES[0].half_width_90 == miss_at(0.5).half_width_90


def test_the_bias_does_not_run_away_beyond_the_table() -> None:
    assert pytest.approx(MISSES[-1].log_bias) == miss_at(1000.0).log_bias


def test_sigma_gives_the_90_percent_interval_back() -> None:
    assert (
        pytest.approx(0.329, abs=1e-3)
        == Miss(ratio=1.0, log_bias=0.0, half_width_80=0.4, half_width_90=0.5411).sigma
    )
