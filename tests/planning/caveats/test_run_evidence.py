from dataclasses import asdict, replace

import pytest

from capacity.domain.caveats import OFF_LINE_RATIO, DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import MetLimit, NoCeiling
from capacity.domain.resources import APPLICATION, Limit, LimitState, Resource
from capacity.domain.run import LIMIT_CHANGED, LIMITS_UNREAD, RunEvent
from capacity.domain.target import TargetSpec
from capacity.planning.bottlenecks.ceilings import Walls
from capacity.planning.bottlenecks.latency_objectives import LatencyUse
from capacity.planning.caveats.run_evidence import (
    _about_changes,
    _about_met,
    _about_objectives,
    _about_ramp,
    _about_unfinished,
    changed_limits,
)
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


@pytest.mark.parametrize(
    ("detail", "told"),
    [({"since_s": 12.0}, "read last 12 s before,"), ({"since_s": "x"}, "read last, and what")],
)
def test_limits_that_could_not_be_read_at_the_end_are_told(venue, detail, told):
    record = venue.record()
    event = RunEvent(at=record.manifest.started_at + 60, kind=LIMITS_UNREAD, detail=detail)
    (doubt,) = of_kind(
        plan(replace(record, events=(*record.events, event))), DoubtKind.SAMPLES_MISSING
    )

    assert [] == of_kind(plan(record), DoubtKind.SAMPLES_MISSING)
    assert told in doubt.statement


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


@pytest.mark.parametrize(
    ("held", "failed", "said"),
    [
        (90, 90, "At 90 connections: so it was."),
        (60, 90, "Between 60 connections (held) and 90 (failed): so it was."),
    ],
)
def test_the_lowest_limit_that_was_met_is_told(held, failed, said):
    met = [
        MetLimit(
            kind=kind, resource=Resource.UNIDENTIFIED, held=held, failed=most, statement="so it was"
        )
        for kind, most in ((CutOffKind.DIED, failed), (CutOffKind.LOST, 900))
    ]
    [doubt] = _about_met(met)

    assert doubt.statement.endswith(said)
    assert "why it exited" in doubt.remedy
    assert list(_about_met([])) == []


def objective(tails_s, *, limit_s=0.05):
    limit = Limit(
        resource=Resource.DELIVERY_DELAY,
        state=LimitState.KNOWN,
        value=limit_s,
        scope="declared",
        source="slo",
    )
    return LatencyUse(
        limit=limit,
        steps=tuple(range(len(tails_s))),
        connections=tuple(100.0 * (n + 1) for n in range(len(tails_s))),
        medians_s=tuple(tails_s),
        tails_s=tuple(tails_s),
    )


def told_of(use, ladder=(), no_ceiling=()):
    walls = Walls(ladder=tuple(ladder), no_ceiling=tuple(no_ceiling), capacity=None)
    return [doubt.statement for doubt in _about_objectives(walls, [use])]


def test_an_objective_without_a_ceiling_is_told_with_the_last_level_that_kept_it(venue):
    use = objective((0.01, 0.05, 0.06))
    entry = NoCeiling(resource=Resource.DELIVERY_DELAY, reason="too few", limit=use.limit)
    other = replace(entry, resource=Resource.CPU, reason="another one")
    wall = plan(venue.record()).ladder[0]

    [statement] = told_of(use, [wall], [other, entry])
    assert statement == (
        "The SLO on delivery delay is not included in this capacity: too few; met up to 200"
        " connections (50 ms of 50 ms), unknown beyond."
    )
    assert "it was not measured; no level" in told_of(objective((0.06,)))[0]
    assert told_of(use, [replace(wall, resource=Resource.DELIVERY_DELAY)]) == []


@pytest.mark.parametrize(
    ("value", "state", "said"),
    [(None, LimitState.UNLIMITED, "unlimited"), (None, LimitState.UNKNOWN, "unknown")],
)
def test_a_limit_that_went_is_told_as_what_it_is_now(venue, value, state, said):
    [doubt] = _about_changes(changed(venue.record(), value, state))

    assert f"was changed to {said} during the run" in doubt.statement


def test_in_a_ramp_only_what_is_held_is_read_from_its_begin_on_while_the_target_lives(venue):
    record = venue.record()
    wall = next(each for each in plan(record).ladder if each.resource is Resource.MEMORY)
    wall = replace(
        wall,
        limit=replace(wall.limit, value=1100.0),
        cost=replace(wall.cost, baseline=Estimate.exactly(100.0)),
        ceiling=Estimate.exactly(500.0),
    )
    step = replace(record.steps[-1], connections_peak=200)
    like = next(each for each in record.samples if each.at >= step.started_at)

    def told(use, *, room=wall, **changes):
        samples = (replace(like, **{"used": {Resource.MEMORY: use}, **changes}),)
        return list(_about_ramp(replace(record, samples=samples), step, room, 0.0))

    # 100 and 400 of the 1,000 that are left, and a tenth of these.
    assert told(599.0) == []
    [doubt] = told(601.0)
    assert "reached 601 bytes in the ramp to 245 connections" in doubt.statement
    assert "predicts 500 bytes at 200 connections" in doubt.statement
    assert len(told(601.0, at=step.started_at)) == 1
    assert told(601.0, at=step.started_at - 0.1) == []
    assert told(601.0, target_started_at=None) == []
    assert told(float("nan")) == []
    assert told(9e9, room=replace(wall, limit=replace(wall.limit, value=100.0))) == []
    assert len(told(101.0, room=replace(wall, limit=replace(wall.limit, value=100.5)))) == 1
    assert told(9e9, room=replace(wall, ceiling=Estimate.exactly(0.0))) == []
    assert len(told(9e9, room=replace(wall, ceiling=Estimate.exactly(0.5)))) == 1


def test_a_void_step_and_a_flow_leave_no_line(venue):
    record = venue.record()
    cut_off = CutOff(kind=CutOffKind.GUARDED, statement="memory pressure", connections=1)
    last = replace(record.steps[-1], cut_off=cut_off)
    samples = tuple(
        replace(each, used={name: 1e6 * value for name, value in each.used.items()})
        for each in record.samples
    )
    ladder = plan(record).ladder

    def told(step, walls):
        spoilt = replace(record, steps=(*record.steps[:-1], step), samples=samples)
        return len(list(_about_unfinished(spoilt, walls)))

    loops = [wall for wall in ladder if wall.resource is Resource.EVENT_LOOP]
    assert told(last, ladder) == 2
    assert told(replace(last, void="late"), ladder) == 0
    assert told(record.steps[-1], ladder) == 0
    assert told(last, loops) == 0


def test_what_is_no_limit_changed_nothing_and_the_last_change_of_a_place_counts(venue):
    record = changed(changed(venue.record(), 520.0), 480.0)
    other = replace(record.events[-1], kind="another")
    found = changed_limits(replace(record, events=(*record.events, other)))

    assert [limit.value for limit in found] == [480.0]


@pytest.mark.parametrize(("levels", "is_told"), [(1, True), (2, False)])
def test_a_limit_whose_use_was_read_at_one_level_is_told_as_not_included(venue, levels, is_told):
    record = venue.record()
    read_at = sorted({step.step.connections for step in record.steps})[:levels]
    unread = [step for step in record.steps if step.step.connections not in read_at]

    def seen(sample):
        is_lost = any(
            step.plateau_started_at <= sample.at <= step.plateau_ended_at for step in unread
        )
        kept = {key: used for key, used in sample.used.items() if key is not Resource.MEMORY}
        return replace(sample, used=kept) if is_lost else sample

    answer = plan(replace(record, samples=tuple(map(seen, record.samples))))
    said = [doubt.statement for doubt in of_kind(answer, DoubtKind.SAMPLES_MISSING)]

    assert is_told == any("usage read at only 1 connection level" in each for each in said)
    assert is_told == any(entry.resource is Resource.MEMORY for entry in answer.no_ceiling)
