from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.ceilings import connections_at_limit, lowest_at_confidence, whole_connections


@pytest.mark.parametrize(
    ("limit", "baseline", "marginal", "connections"),
    [
        (64.0, 4.0, 1.0, 60.0),  # RLIMIT_NOFILE 64 with 4 in use leaves 60 sockets
        (100e6, 40e6, 60e3, 1000.0),
        (10.0, 12.0, 1.0, 0.0),  # beyond the limit already
        (10.0, 2.0, 0.0, np.inf),  # free
    ],
)
def test_connections_where_the_line_meets_the_limit(limit, baseline, marginal, connections):
    found = connections_at_limit(limit, np.array([baseline]), np.array([marginal]))

    assert found[0] == pytest.approx(connections)


def test_a_count_just_below_a_whole_by_rounding_is_that_whole():

    assert whole_connections(np.array([999.9999999999, 999.4])).tolist() == [1000.0, 999.0]


CEILINGS = st.floats(10.0, 1e6)
SIGMAS = st.floats(0.0, 0.5)


def test_counted_ceilings_have_no_margin():
    assert lowest_at_confidence([4_008.0, 9_000.0], [0.0, 0.0], 0.95) == pytest.approx(4_008.0)


def test_one_uncertain_ceiling_is_bounded_as_a_log_normal_is():
    found = lowest_at_confidence([1_000.0], [0.1], 0.95)

    assert found == pytest.approx(1_000.0 * np.exp(-0.1 * 1.6449), rel=1e-4)


def test_the_bound_is_the_quantile_of_drawn_minima():
    ceilings, sigmas = np.array([1_000.0, 1_050.0, 1_200.0]), np.array([0.1, 0.2, 0.05])
    draws = np.random.default_rng(3).standard_normal((200_000, 3))
    minima = (ceilings * np.exp(sigmas * draws)).min(axis=1)

    found = lowest_at_confidence(list(ceilings), list(sigmas), 0.95)

    assert found == pytest.approx(np.quantile(minima, 0.05), rel=0.005)


def test_no_room_is_no_connection():
    assert lowest_at_confidence([0.0, 10.0], [0.0, 0.1], 0.95) == 0.0


@given(
    walls=st.lists(st.tuples(CEILINGS, SIGMAS), min_size=1, max_size=5),
    raised=st.integers(0, 4),
    factor=st.floats(1.0, 10.0),
)
def test_a_raised_ceiling_never_lowers_the_bound(walls, raised, factor):
    ceilings, sigmas = [wall[0] for wall in walls], [wall[1] for wall in walls]
    before = lowest_at_confidence(ceilings, sigmas, 0.95)

    ceilings[raised % len(walls)] *= factor

    assert lowest_at_confidence(ceilings, sigmas, 0.95) >= before * (1 - 1e-9)


def chance(middle, ceilings, sigmas):
    above = 1.0
    for ceiling, sigma in zip(ceilings, sigmas, strict=True):
        above *= 1.0 - NormalDist().cdf((np.log(middle) - np.log(ceiling)) / sigma)
    return 1.0 - above


@pytest.mark.parametrize(("deviations", "is_counted"), [(3.3, True), (3.6, False)])
def test_walls_within_three_and_a_half_deviations_count(deviations, is_counted):
    """Twenty of them stand as far above the bound of the first one."""
    bound = 1_000.0 * np.exp(-0.1 * 1.6449)
    others = [bound * np.exp(deviations * 0.1)] * 20
    ceilings, sigmas = [1_000.0, *others], [0.1] * 21
    found = lowest_at_confidence(ceilings, sigmas, 0.95)

    assert is_counted == (found < 0.999 * bound)
    if is_counted:
        assert chance(found, ceilings, sigmas) == pytest.approx(0.05, rel=1e-6)


def test_a_counted_wall_below_the_others_bounds_them():
    assert lowest_at_confidence([500.0, 1_000.0], [0.0, 0.1], 0.95) == pytest.approx(500.0)
    assert lowest_at_confidence([0.5], [0.1], 0.95) == pytest.approx(
        0.5 * np.exp(-0.16449), rel=1e-4
    )


def test_a_billionth_below_a_whole_is_rounding_and_a_millionth_is_not():
    found = whole_connections(np.array([1e6 * (1 - 0.9e-9), 1e6 * (1 - 1.1e-9), 1e3 - 1e-3]))

    assert found.tolist() == [1e6, 1e6 - 1, 999.0]
