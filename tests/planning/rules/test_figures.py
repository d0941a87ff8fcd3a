import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Demand
from capacity.domain.answers.storm_drill import Retry
from capacity.domain.plan import Excuse
from capacity.domain.resources import Resource
from capacity.planning.comparison.comparison import compare
from capacity.planning.rules.figures import figures
from capacity.planning.rules.names import DIMENSIONS

PLANTED = runpy.run_path(str(Path(__file__).parents[1] / "comparison" / "planted_change.py"))
DEMAND = Demand(
    name="peak",
    connections=6000.0,
    as_of_at=0.0,
    size_for_at=None,
    growth_per_month=None,
    deliveries_per_s=None,
    requests_per_s=None,
    headroom_ratio=0.2,
    lost_instances=1,
    zones=1,
    lost_zones=0,
    host=None,
    instances=10,
    retry=Retry(policy="fixed", waits_s=((1.0, 1.0),)),
    handshake_timeout_s=10.0,
    reconnect_window_s=None,
)


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
