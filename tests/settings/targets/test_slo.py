"""Objectives of a target."""

import pytest

from capacity.domain.resources import Resource
from capacity.settings.targets.slo import Objective, Slo


def test_an_objective_holds_for_the_95th_percentile_unless_it_says_otherwise():
    assert 0.95 == Objective(limit_s=0.2).quantile


@pytest.mark.parametrize("quantile", [0.5, 0.999])
def test_a_quantile_is_from_the_median_on(quantile):
    assert quantile == Objective(limit_s=0.2, quantile=quantile).quantile


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantile": 0.49}, "greater than or equal to 0.5"),
        ({"quantile": 0.9991}, "less than or equal to 0.999"),
        ({"limit_s": 0.0}, "greater than 0"),
    ],
)
def test_what_is_no_objective_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Objective(**{"limit_s": 0.2, **changes})


def test_only_those_that_are_set_are_objectives_in_the_order_of_their_names():
    slo = Slo(request_latency=Objective(limit_s=0.2), delivery_delay=Objective(limit_s=0.1))

    assert [(Resource.DELIVERY_DELAY, 0.1, 0.95), (Resource.REQUEST_LATENCY, 0.2, 0.95)] == [
        (each.resource, each.limit_s, each.quantile) for each in slo.objectives()
    ]
