import pytest

from capacity.domain.answers.finding import Status
from capacity.domain.resources import Resource
from capacity.planning.safety.run_preview import (
    guards_finding,
    levels_up_to,
    load_finding,
    objectives_finding,
)

DELAY = {Resource.DELIVERY_DELAY: (0.99, 0.05)}


@pytest.mark.parametrize(
    ("most", "levels"),
    [(5, 1), (20, 1), (21, 2), (60, 2), (61, 3), (180, 3), (245, 4), (100_000, 6)],
)
def test_a_climb_takes_as_many_levels_as_its_growth_needs(most, levels):
    assert levels == levels_up_to(most, start=20, growth=3.0, levels=6)


def test_the_load_is_said_with_what_sets_it():
    finding = load_finding(245, "25 % of file descriptors (983)", 400.0, 4)

    assert Status.OK is finding.status
    assert (
        "at most 245 connections, 25 % of file descriptors (983), in up to 4 levels, opened at up"
        " to 400 connects/s"
    ) == finding.statement
    assert "at most 1 connection, in up to 1 level" in load_finding(1, None, 1.0, 1).statement


def test_guards_are_said_with_their_bounds_and_with_the_objectives():
    finding = guards_finding({"used_ratio": 0.9, "lost_ratio": 0.05}, DELAY)

    assert "90 % utilization of a counted limit or of memory" in finding.statement
    assert "5 % of a step's connections dropped" in finding.statement
    assert "a missed SLO (delivery delay)" in finding.statement
    assert "SLO" not in guards_finding({"used_ratio": 0.9}, ()).statement
    assert "whatever happens" in guards_finding(None, DELAY).statement


@pytest.mark.parametrize(
    ("levels", "status", "said"),
    [
        (
            2,
            Status.WARNING,
            "a forecast needs 3 levels with the full workload, and this profile has 2",
        ),
        (3, Status.OK, "forecast from up to 3 levels"),
        (None, Status.OK, "the search stops where an SLO is missed"),
    ],
)
def test_an_objective_needs_three_levels_of_the_full_mix(levels, status, said):
    finding = objectives_finding(DELAY, mix_levels=levels, is_polled=False, is_followed=True)

    assert status is finding.status
    assert "delivery delay p99 ≤ 50 ms" in finding.statement
    assert said in finding.statement
    assert (finding.remedy is not None) is (status is Status.WARNING)


@pytest.mark.parametrize(
    ("resource", "measured"),
    [
        (Resource.DELIVERY_DELAY, {"is_polled": True, "is_followed": False}),
        (Resource.REQUEST_LATENCY, {"is_polled": False, "is_followed": True}),
    ],
)
def test_an_objective_that_the_mix_does_not_measure_is_told(resource, measured):
    finding = objectives_finding({resource: (0.95, 0.1)}, mix_levels=6, **measured)

    assert Status.WARNING is finding.status
    assert "does not exercise" in finding.statement


def test_without_objectives_there_is_nothing_to_say():
    assert objectives_finding({}, mix_levels=2, is_polled=True, is_followed=True) is None


def test_a_load_of_clients_that_hold_several_connections_is_told_in_clients():
    finding = load_finding(11, None, 1.0, 1, per_client=2)

    assert "at most 11 connections (6 clients of 2 each, one of them private)" in finding.statement
