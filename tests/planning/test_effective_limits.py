import math

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.effective_limits import effective_limits, known_value


def limit(state, value=None, source="/proc"):
    return Limit(resource=Resource.MEMORY, state=state, value=value, scope="cgroup", source=source)


UNKNOWN, UNLIMITED = limit(LimitState.UNKNOWN), limit(LimitState.UNLIMITED)
SMALL, LARGE = limit(LimitState.KNOWN, 1.0), limit(LimitState.KNOWN, 2.0)


@pytest.mark.parametrize(
    ("limits", "effective"),
    [
        ([LARGE, SMALL], SMALL),
        ([SMALL, LARGE], SMALL),
        ([UNLIMITED, UNKNOWN], UNKNOWN),
        ([UNKNOWN, UNLIMITED, LARGE], LARGE),
        ([UNLIMITED], UNLIMITED),
        ([limit(LimitState.KNOWN, math.nan), LARGE], LARGE),
    ],
)
def test_the_smallest_known_then_unknown_then_unlimited(limits, effective):

    assert effective_limits(limits) == {Resource.MEMORY: effective}


def test_no_limit_is_no_entry():

    assert effective_limits([]) == {}


@pytest.mark.parametrize("without", [None, UNKNOWN, limit(LimitState.KNOWN, math.inf)])
def test_only_a_finite_number_is_known(without):

    assert known_value(without) is None
