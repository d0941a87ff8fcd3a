import numpy as np
import pytest

from capacity.models.ceilings import connections_at_limit, whole_connections


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
