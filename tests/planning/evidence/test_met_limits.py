from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse, MetLimit
from capacity.domain.resources import Resource
from capacity.planning.evidence.met_limits import (
    EXHAUSTED_RATIO,
    bounded_draws,
    held_connections,
    met_limits,
)
from capacity.planning.plan import plan

LIMITS = ()


@pytest.fixture
def cut(venue, ramp):
    """Return a ramp to 50, 100 and 200 whose last step was cut off."""

    def off(kind, connections, *, resource=None, used=None):
        record = replace(venue, steps=ramp(50, 100, 200)).record()
        *held, last = record.steps
        cut_off = CutOff(
            kind=kind, statement="as planted", connections=connections, resource=resource
        )
        last = replace(
            last, plateau_started_at=None, plateau_ended_at=None, load=None, cut_off=cut_off
        )
        samples = [
            replace(each, used={**each.used, **used})
            if used and each.at > last.started_at
            else each
            for each in record.samples
        ]
        return replace(record, steps=(*held, last), samples=tuple(samples))

    return off


def test_held_is_what_the_full_mix_was_held_with(cut):
    assert 100 == held_connections(cut(CutOffKind.DIED, 180).steps)


@pytest.mark.parametrize("kind", [CutOffKind.REFUSED, CutOffKind.NOT_REACHED])
def test_a_target_that_refuses_says_itself_how_many_it_holds(cut, kind):
    (met,) = met_limits(cut(kind, 150), LIMITS)

    assert (150, 150) == (met.held, met.failed)
    assert Resource.APPLICATION_CONNECTIONS is met.resource


@pytest.mark.parametrize("kind", [CutOffKind.DIED, CutOffKind.LOST, CutOffKind.SATURATED])
def test_other_failures_lie_between_what_was_held_and_what_was_not(cut, kind):
    """In a ramp no more is known than how many were asked for; what was open is told late."""
    (met,) = met_limits(cut(kind, 180), LIMITS)

    assert (100, 200, Resource.UNIDENTIFIED) == (met.held, met.failed, met.resource)


@pytest.mark.parametrize("kind", [CutOffKind.STOPPED, CutOffKind.GUARDED])
def test_what_is_no_limit_of_the_target_bounds_nothing(cut, kind):
    assert [] == met_limits(cut(kind, 180), LIMITS)


@pytest.mark.parametrize(
    ("ratio", "resource"), [(0.99, Resource.UNIDENTIFIED), (1.01, Resource.MEMORY)]
)
def test_what_was_nearly_used_up_is_what_gave_out(cut, ratio, resource):
    limit_bytes = 256e6
    used = {Resource.MEMORY: ratio * EXHAUSTED_RATIO * limit_bytes}
    record = cut(CutOffKind.DIED, 180, used=used)
    (met,) = met_limits(record, record.manifest.agent.limits)

    assert resource is met.resource


@pytest.mark.parametrize(
    ("kind", "connections", "failed"),
    [
        (CutOffKind.REFUSED, 150, 150),
        (CutOffKind.NOT_REACHED, 150, 150),
        (CutOffKind.DIED, 180, 200),
        (CutOffKind.LOST, 180, 200),
    ],
)
def test_no_plan_is_contradicted_by_its_own_run(cut, kind, connections, failed):
    answer = plan(cut(kind, connections))

    assert isinstance(answer, CapacityPlan)
    assert 100 <= answer.capacity.low <= answer.capacity.mid <= answer.capacity.high <= failed
    assert 1.0 == answer.ladder[0].binding_probability
    assert "met" == answer.ladder[0].limit.scope
    assert DoubtKind.LIMIT_MET is answer.doubts[0].kind
    assert f"{failed}" in answer.doubts[0].statement
    is_cap = answer.binding is Resource.APPLICATION_CONNECTIONS
    assert is_cap == (DoubtKind.OWN_CAP not in {each.kind for each in answer.assumptions})


def test_a_resource_whose_limit_was_met_keeps_its_line_within_the_bounds(cut):
    """Planted: descriptors end at 985, and the run is said to have failed at 200 by them."""
    answer = plan(cut(CutOffKind.GUARDED, 180, resource=Resource.DESCRIPTORS))

    assert Resource.DESCRIPTORS is answer.binding
    assert 100 <= answer.capacity.low <= answer.capacity.high <= 200


def died_between(held, failed):
    return MetLimit(
        kind=CutOffKind.DIED,
        resource=Resource.UNIDENTIFIED,
        held=held,
        failed=failed,
        statement="as planted",
    )


def test_a_fit_within_the_bounds_is_kept_and_one_outside_is_not():
    shares = np.linspace(0.001, 0.999, 9)
    met = died_between(held=100, failed=400)
    fitted = np.array([90.0, 150.0, 500.0, 200.0])

    assert [100.0, 150.0, 400.0, 200.0] == bounded_draws(fitted, met, shares).tolist()

    outside = bounded_draws(np.array([900.0, 1000.0]), met, shares)

    assert pytest.approx(200.0) == outside[-1]
    assert 100.0 <= outside.min() <= outside.max() <= 400.0


def test_a_first_level_that_fails_is_told_with_what_to_do(venue, ramp):
    record = replace(venue, steps=ramp(50)).record()
    baseline, first = record.steps
    cut_off = CutOff(
        kind=CutOffKind.REFUSED, statement="10 attempts failed, most by 401", connections=0
    )
    first = replace(
        first, plateau_started_at=None, plateau_ended_at=None, load=None, cut_off=cut_off
    )
    answer = plan(replace(record, steps=(baseline, first)))

    assert isinstance(answer, Excuse)
    assert "The first level of 50 connections" in answer.reason
    assert "most by 401" in answer.reason
    assert "credentials" in answer.remedy


def test_a_cap_that_counts_pollers_too_is_told_along_the_mix(venue, ramp, cost):
    """Planted: a cap of 160, of which a connection with its share of the pollers takes 1.02.

    Whether it counts the pollers the run does not tell: 140 were open beside them.
    """
    counted = cost(baseline=0, connection=1.0, request=1.0)
    venue = replace(
        venue,
        costs={**venue.costs, Resource.APPLICATION_CONNECTIONS: counted},
        steps=ramp(50, 100, 1000),
    )
    *held, last = venue.record().steps
    # The pollers of 1,000 connections are there first: 20 of 160.
    cut_off = CutOff(kind=CutOffKind.REFUSED, statement="as planted", connections=140)
    last = replace(last, plateau_started_at=None, plateau_ended_at=None, load=None, cut_off=cut_off)
    record = venue.record()
    samples = tuple(
        replace(each, used={**each.used, Resource.APPLICATION_CONNECTIONS: 160.0})
        if each.at > last.started_at
        else each
        for each in record.samples
    )
    (met,) = met_limits(replace(record, steps=(*held, last), samples=samples), LIMITS)

    assert (140, 156) == (met.held, met.failed)


def test_a_target_that_fails_at_fewer_than_it_held_holds_what_is_below_those(cut):
    record = cut(CutOffKind.LOST, 60)
    *steps, last = record.steps
    last = replace(
        last, step=replace(last.step, connections=60), cut_off=replace(last.cut_off, connections=60)
    )
    (met,) = met_limits(replace(record, steps=(*steps, last)), LIMITS)

    assert (50, 60) == (met.held, met.failed)


def test_a_fit_at_the_bound_itself_is_within():
    kept = bounded_draws(np.array([12.0, 10.0]), died_between(10, 20), np.array([0.5]))

    assert kept.tolist() == [12.0, 10.0]
