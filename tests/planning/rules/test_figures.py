import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.plan import Excuse
from capacity.domain.resources import LimitState, Resource
from capacity.planning.advice.advice import advice as advise
from capacity.planning.comparison.comparison import compare
from capacity.planning.rules.figures import figures
from capacity.planning.rules.names import DIMENSIONS

RECORDS = runpy.run_path(str(Path(__file__).parents[2] / "bare_records.py"))
PLANTED = runpy.run_path(str(Path(__file__).parents[1] / "comparison" / "planted_change.py"))
DEMAND = RECORDS["demand_of"](connections=6000.0)


@pytest.fixture(scope="module")
def run():
    return PLANTED["measured"](1, delay_s=0.02)


def values(run, **more):
    found = figures(run.record, run.plan, **more)
    return {name: figure.value for name, figure in found.items()}


def test_every_figure_is_there_with_a_value_or_a_reason(run):
    found = figures(run.record, run.plan)

    assert set(found) == set(DIMENSIONS)
    assert all((figure.value is None) == bool(figure.missing) for figure in found.values())


def test_what_was_modelled_is_what_was_planted(run):
    found = values(run)

    assert found["capacity.safe"] == run.plan.safe_capacity
    assert found["bottleneck"] == {"descriptors"}
    assert found["cost.memory_per_connection"] == pytest.approx(65e3, rel=0.02)
    assert found["cost.memory_per_delivery"] == pytest.approx(500, rel=0.2)
    assert found["limit.descriptors"] == 1020.0
    assert found["utilization.descriptors"] == pytest.approx((15 + 245 + 4.9) / 1020, rel=0.01)
    assert found["extrapolation"] == pytest.approx(run.plan.capacity.mid / 245)


def test_what_was_measured_is_of_the_worst_plateau_with_the_full_mix(run):
    mixed = [s.delivery_delay.p99_s for s in run.record.steps if s.step.is_mix]

    assert values(run)["delivery_delay.p99"] == max(mixed)


def test_losses_and_failures_are_summed(run):
    steps = list(run.record.steps)
    steps[1] = replace(steps[1], lost=2, failures={"connect_refused": 3, "x": 1}, gaps=7)
    found = values(replace(run, record=replace(run.record, steps=tuple(steps))))

    assert (
        found["connections.lost"],
        found["connections.failed"],
        found["updates.missing"],
    ) == (2.0, 4.0, 7.0)


def test_what_was_not_measured_is_missing_and_not_zero(run):
    found = figures(run.record, run.plan)

    assert found["request_latency.p99"].value is None
    assert found["cost.threads_per_connection"].missing == "this run did not measure it"
    assert found["cost.memory_per_handshake"].value is None


def test_headroom_is_what_the_demand_leaves_of_the_safe_capacity(run):
    assert values(run, demand=DEMAND)["headroom"] == 1.0 - 600.0 / run.plan.safe_capacity
    assert "--demand" in figures(run.record, run.plan)["headroom"].missing
    unknown = figures(run.record, run.plan, replace(DEMAND, instances=None))["headroom"]
    assert "how many instances" in unknown.missing


def test_a_baseline_says_which_limits_changed_and_what_got_worse(run):
    before = PLANTED["measured"](2, descriptors=2000.0)
    found = values(run, comparison=compare([run], [before]))

    assert found["audit.changed"] == {"descriptors"}
    assert found["regressions"] == {"capacity.mid", "limit.descriptors"}
    assert "--baseline" in figures(run.record, run.plan)["audit.changed"].missing


def test_without_a_plan_what_was_measured_remains(run):
    excuse = Excuse(run="x", reason="one level only", remedy="", generator=None, doubts=())
    found = figures(run.record, excuse)

    assert found["connections.lost"].value == 0.0
    assert found["capacity.safe"].missing == "no plan: one level only"


def test_a_bottleneck_that_nobody_saw_is_unknown(run):
    plan = replace(run.plan, binding=Resource.UNIDENTIFIED)

    assert values(replace(run, plan=plan))["bottleneck"] == {"unknown"}


def test_a_step_without_the_full_mix_or_without_a_plateau_to_use_is_not_the_worst(run):
    first, *others = run.record.steps
    slow = PLANTED["quantiles"](9.0)
    idle = replace(first, step=replace(first.step, is_mix=False), delivery_delay=slow)
    void = replace(
        others[-1], step=replace(others[-1].step, is_mix=True), delivery_delay=slow, void="late"
    )
    record = replace(run.record, steps=(idle, *others, void))

    assert values(replace(run, record=record)) == values(run)


@pytest.mark.parametrize(("safe", "said"), [(0, "the safe capacity is 0"), (1, "")])
def test_a_safe_capacity_of_nothing_leaves_no_share_of_it(run, safe, said):
    answer = replace(run.plan, safe_capacity=safe)

    assert figures(run.record, answer, DEMAND)["headroom"].missing == said


def test_without_a_number_of_instances_those_sized_are_taken(run):
    advice = advise(run.record, run.plan, replace(DEMAND, instances=None))
    sized = advice.sizing.hosts[0].instances
    found = values(
        replace(run, plan=replace(run.plan, advice=advice)), demand=replace(DEMAND, instances=None)
    )

    assert found["headroom"] == 1.0 - 6000.0 / sized / run.plan.safe_capacity


def test_a_limit_without_a_number_has_no_figure(run):
    first, *others = run.plan.ladder
    unlimited = replace(first, limit=replace(first.limit, state=LimitState.UNLIMITED, value=None))
    damaged = replace(first, limit=replace(first.limit, value=None))

    for wall in (unlimited, damaged):
        answer = replace(run.plan, ladder=(wall, *others))
        assert figures(run.record, answer)["limit.descriptors"].value is None
        assert figures(run.record, answer)["utilization.descriptors"].value is None


def test_how_well_the_generator_kept_up_is_a_figure(run):
    assert (values(run)["generator.lag_p95"], values(run)["generator.cpu"]) == (0.002, 0.3)
