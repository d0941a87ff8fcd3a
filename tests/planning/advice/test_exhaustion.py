import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.estimates import Estimate
from capacity.models.operations.growth import MONTH_S
from capacity.planning.advice.exhaustion import exhaustion
from capacity.planning.advice.sizing import sized

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_demand.py")))
PLAN = replace(EXAMPLE["make_plan"](), capacity=Estimate.exactly(20_000.0))
HOST, NEW_YEAR_AT = EXAMPLE["make_host"](), EXAMPLE["NEW_YEAR_AT"]
FIVE = Estimate.exactly(0.05)


def dated(plan=PLAN, host=None, **changes):
    demand = EXAMPLE["make_demand"](**{"growth_per_month": FIVE, "instances": 11, **changes})
    return exhaustion(plan, demand, sized(plan, demand, [host] if host else []), host)


def months(at):
    return (at - NEW_YEAR_AT) / MONTH_S


def test_dates_follow_from_demand_growth_and_instances():
    with_reserve, bare = dated().dates

    assert with_reserve.connections.mid == pytest.approx(10 * 20_000 * 0.8)
    assert months(with_reserve.middle_at) == pytest.approx(math.log(1.6) / math.log(1.05))
    assert months(bare.middle_at) == pytest.approx(math.log(2.2) / math.log(1.05))
    assert bare.early_at == bare.late_at


def test_uncertainty_spreads_the_dates():
    uncertain = replace(
        PLAN, capacity=Estimate(low=18_000.0, mid=20_000.0, high=22_000.0, confidence=0.9)
    )
    _, bare = dated(uncertain, growth_per_month=EXAMPLE["make_growth"](0.05, 0.02)).dates

    assert bare.early_at < bare.middle_at < bare.late_at


def test_shrinking_demand_never_exhausts():
    assert [date.middle_at for date in dated(growth_per_month=Estimate.exactly(-0.02)).dates] == [
        None,
        None,
    ]


def test_too_few_instances_are_too_few_today():
    assert dated(instances=2).dates[0].early_at == NEW_YEAR_AT


def test_without_a_number_of_instances_those_sized_are_dated():
    assert dated(instances=None).instances == 8


def test_another_host_type_has_another_capacity():
    fast = replace(HOST, limits=dict.fromkeys(("descriptors",), 1e6))
    found = dated(host=fast)

    assert found.host == "medium"
    assert found.dates[1].connections.mid == pytest.approx(11 * 0.98 / 2.8e-5)
    assert found.dates[1].connections.low < found.dates[1].connections.mid


def test_no_growth_gives_no_date():
    found = dated(growth_per_month=None)

    assert isinstance(found, Unanswered)
    assert "growth_per_month" in found.remedy


def test_what_cannot_be_sized_cannot_be_dated():
    nothing = replace(PLAN, safe_capacity=0)
    tiny = replace(HOST, memory_bytes=1e6)

    assert isinstance(dated(nothing), Unanswered)
    assert isinstance(dated(host=tiny, instances=None), Unanswered)
