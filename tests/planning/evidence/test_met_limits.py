from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse, MetLimit
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.evidence.met_limits import bounded_draws, held_connections, met_limits
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


@pytest.mark.parametrize(
    ("used", "own", "resource"),
    [
        (996, None, Resource.DESCRIPTORS),
        (990, None, Resource.APPLICATION_CONNECTIONS),
        (1000, 150, Resource.APPLICATION_CONNECTIONS),
    ],
)
def test_a_target_that_admits_no_more_without_descriptors_has_no_cap_of_its_own(
    cut, used, own, resource
):
    of = {Resource.DESCRIPTORS: 1000.0, Resource.APPLICATION_CONNECTIONS: own}
    limits = [
        Limit(resource=one, state=LimitState.KNOWN, value=value, scope="process", source="planted")
        for one, value in of.items()
        if value
    ]
    uses = {Resource.DESCRIPTORS: used, Resource.APPLICATION_CONNECTIONS: 150.0}
    (met,) = met_limits(cut(CutOffKind.NOT_REACHED, 150, used=uses), limits)

    assert resource is met.resource


@pytest.mark.parametrize("kind", [CutOffKind.DIED, CutOffKind.LOST, CutOffKind.SATURATED])
def test_other_failures_lie_between_what_was_held_and_what_was_not(cut, kind):
    """In a ramp what was open is told late, and clients opened as many as were asked for."""
    (met,) = met_limits(cut(kind, 180), LIMITS)

    assert (100, 200, Resource.UNIDENTIFIED) == (met.held, met.failed, met.resource)


@pytest.mark.parametrize(
    ("connects", "failures", "failed"),
    [
        (79, {}, 180),
        (85, {}, 185),
        (85, {"connect_reset": 5}, 190),
        (85, {"connection_ended": 180, "connect_reset": 5}, 190),
        (90, {"connect_reset": 15}, 200),
    ],
    ids=["told", "told late", "on their way", "lost and not opened", "more than were asked for"],
)
def test_no_target_failed_at_more_than_clients_had_opened_or_tried_to(
    cut, connects, failures, failed
):
    """Planted: 100 were held, 200 asked for, and 180 known to be open when the target failed."""
    record = cut(CutOffKind.LOST, 180)
    *held, last = record.steps
    lost = failures.get("connection_ended", 0)
    last = replace(last, connects=connects, failures=failures, lost=lost)
    (met,) = met_limits(replace(record, steps=(*held, last)), LIMITS)

    assert (100, failed) == (met.held, met.failed)


@pytest.mark.parametrize("kind", [CutOffKind.STOPPED, CutOffKind.GUARDED])
def test_what_is_no_limit_of_the_target_bounds_nothing(cut, kind):
    assert [] == met_limits(cut(kind, 180), LIMITS)


@pytest.mark.parametrize(
    ("ratio", "resource"), [(0.99, Resource.UNIDENTIFIED), (1.01, Resource.MEMORY)]
)
def test_what_was_nearly_used_up_is_what_gave_out(cut, ratio, resource):
    limit_bytes = 256e6
    used = {Resource.MEMORY: ratio * 0.8 * limit_bytes}
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


def test_what_was_open_counts_however_few_were_held(cut):
    for kind in (CutOffKind.REFUSED, CutOffKind.DIED):
        assert met_limits(cut(kind, 0), LIMITS) == []
    (met,) = met_limits(cut(CutOffKind.REFUSED, 1), LIMITS)
    assert (met.held, met.failed) == (1, 1)


def test_a_step_that_failed_on_its_plateau_failed_at_what_was_open(cut):
    record = cut(CutOffKind.LOST, 180)
    *held, last = record.steps
    last = replace(last, plateau_started_at=last.started_at + 3.0)
    (met,) = met_limits(replace(record, steps=(*held, last)), LIMITS)

    assert (met.held, met.failed) == (100, 180)


def test_void_steps_met_nothing_and_the_lowest_limit_comes_first(cut):
    record = cut(CutOffKind.DIED, 180)
    *held, last = record.steps
    early = replace(last, index=9, step=replace(last.step, connections=80))
    both = met_limits(replace(record, steps=(*held, last, early)), LIMITS)

    assert [met.failed for met in both] == [180, 200]
    assert met_limits(replace(record, steps=(*held, replace(last, void="late"))), LIMITS) == []


def test_what_gave_out_is_what_was_fullest_from_the_step_on_while_the_target_lived(cut):
    def limit(resource, value):
        return Limit(
            resource=resource, state=LimitState.KNOWN, value=value, scope="process", source="x"
        )

    limits = [
        limit(Resource.MEMORY, 100e6),
        limit(Resource.THREADS, 100.0),
        limit(Resource.DELIVERY_DELAY, 1.0),
    ]
    record = cut(
        CutOffKind.DIED,
        180,
        used={Resource.MEMORY: 85e6, Resource.THREADS: 90.0, Resource.DELIVERY_DELAY: 9.0},
    )
    samples = list(record.samples)
    samples[0] = replace(samples[0], used={Resource.MEMORY: 99e6})
    samples[-1] = replace(samples[-1], target_started_at=None, used={Resource.MEMORY: 98e6})
    (met,) = met_limits(replace(record, samples=tuple(samples)), limits)
    assert met.resource is Resource.THREADS

    samples[-2] = replace(samples[-2], used={Resource.MEMORY: 95e6})
    (met,) = met_limits(replace(record, samples=tuple(samples)), limits)
    assert met.resource is Resource.MEMORY


def test_between_bounds_the_ceiling_is_as_likely_in_each_part_of_the_way_in_ratios():
    found = bounded_draws(None, died_between(held=100, failed=400), np.array([0.0, 0.5, 1.0]))
    nobody = bounded_draws(None, died_between(held=0, failed=4), np.array([0.5]))

    assert found.tolist() == pytest.approx([100.0, 200.0, 400.0, 200.0])
    assert nobody.tolist() == pytest.approx([2.0, 2.0])


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


@pytest.mark.parametrize(
    ("counts", "held", "failed"),
    [
        ({"unserved": 50}, 150, 150),
        ({"unserved": 150}, 100, 200),
        ({"unserved": 50, "half_open": 1}, 100, 200),
    ],
    ids=["some get all", "fewer than were held before", "some are gone"],
)
def test_who_serves_some_and_others_never_holds_those(cut, counts, held, failed):
    record = cut(CutOffKind.UNSERVED, 200)
    *lower, top = record.steps
    (met,) = met_limits(replace(record, steps=(*lower, replace(top, **counts))), LIMITS)

    assert (held, failed) == (met.held, met.failed)
