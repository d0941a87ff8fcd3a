from dataclasses import asdict, replace

import pytest

from capacity.domain.caveats import OFF_LINE_RATIO, DoubtKind
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.resources import APPLICATION, Limit, LimitState, Resource
from capacity.domain.run import LIMIT_CHANGED, RunEvent
from capacity.domain.target import TargetSpec
from capacity.planning.plan import limits_of, plan


def of_kind(answer, kind):
    return [doubt for doubt in answer.doubts if doubt.kind is kind]


def changed(record, value, state=LimitState.KNOWN):
    (limit,) = [
        each for each in record.manifest.agent.limits if each.resource is Resource.DESCRIPTORS
    ]
    detail = {"limit": asdict(replace(limit, value=value, state=state))}
    event = RunEvent(at=record.manifest.started_at + 60, kind=LIMIT_CHANGED, detail=detail)
    return replace(record, events=(*record.events, event))


def test_a_limit_that_was_set_anew_during_the_run_is_the_one_that_counts(venue):
    answer = plan(changed(venue.record(), 520.0))
    (doubt,) = of_kind(answer, DoubtKind.LIMIT_CHANGED)

    assert Resource.DESCRIPTORS is answer.binding
    assert pytest.approx(495, rel=0.01) == answer.capacity.mid
    assert "was changed to 520 descriptors" in doubt.statement


def test_an_event_that_is_damaged_changes_nothing(venue):
    record = venue.record()
    event = RunEvent(at=0.0, kind=LIMIT_CHANGED, detail={"limit": {"resource": "nonsense"}})

    assert plan(record) == plan(replace(record, events=(event,)))


@pytest.mark.parametrize(("excess", "is_doubted"), [(0.9, False), (1.1, True)])
def test_memory_off_its_line_in_a_ramp_that_was_cut_off_is_told(venue, excess, is_doubted):
    record = venue.record()
    answer = plan(record)
    (wall,) = [each for each in answer.ladder if each.resource is Resource.MEMORY]
    last = record.steps[-1]
    room = wall.limit.value - wall.cost.baseline.mid
    line = wall.cost.baseline.mid + room * last.connections_peak / wall.ceiling.mid
    cut_off = CutOff(kind=CutOffKind.GUARDED, statement="memory pressure", connections=1)
    samples = tuple(
        replace(
            each,
            used={**each.used, Resource.MEMORY: line + excess * OFF_LINE_RATIO * room},
        )
        if each.at > last.started_at
        else each
        for each in record.samples
    )
    steps = (*record.steps[:-1], replace(last, cut_off=cut_off))
    found = plan(replace(record, steps=steps, samples=samples))

    assert is_doubted == bool(of_kind(found, DoubtKind.UNEXPLAINED_USE))


def test_an_objective_that_cannot_be_forecast_is_told_first_with_its_best_bound(venue):
    record = venue.record()
    slo = {"delivery_delay": {"quantile": 0.99, "limit_s": 0.05}}
    target = TargetSpec.from_document({"slo": slo})
    answer = plan(replace(record, manifest=replace(record.manifest, target=target)))

    assert DoubtKind.OBJECTIVE_NOT_FORECAST is answer.doubts[0].kind
    assert "no level with the full workload shows whether it is met" in answer.doubts[0].statement


def test_a_cap_of_the_application_that_moved_in_its_file_replaces_the_one_before(venue):
    before = Limit(
        resource=Resource.APPLICATION_CONNECTIONS,
        state=LimitState.KNOWN,
        value=40.0,
        scope=APPLICATION,
        source="/a:3: maxconn 40",
        ports=(80, 81),
    )
    record = venue.record()
    agent = replace(record.manifest.agent, limits=(before,))
    record = replace(record, manifest=replace(record.manifest, agent=agent))
    after = replace(before, value=400.0, source="/a:4: maxconn 400")
    event = RunEvent(at=0.0, kind=LIMIT_CHANGED, detail={"limit": asdict(after)})

    assert limits_of(replace(record, events=(event,))) == [after]
