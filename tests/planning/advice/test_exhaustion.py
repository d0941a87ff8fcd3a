import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.estimates import Estimate
from capacity.domain.units import MONTH_S
from capacity.planning.advice.exhaustion import HORIZON_MONTHS, _at, exhaustion
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


@pytest.mark.parametrize(("months_ahead", "is_told"), [(599.0, True), (601.0, False)])
def test_a_date_beyond_fifty_years_is_none(months_ahead, is_told):
    growth = Estimate.exactly(math.expm1(math.log(2.2) / months_ahead))
    _, bare = dated(growth_per_month=growth).dates

    assert is_told == (bare.middle_at is not None)


def test_the_last_moment_of_fifty_years_is_a_date():
    demand = EXAMPLE["make_demand"]()

    assert demand.as_of_at + HORIZON_MONTHS * MONTH_S == _at(demand, HORIZON_MONTHS)
    assert _at(demand, math.nextafter(HORIZON_MONTHS, math.inf)) is None


def test_the_three_dates_are_those_of_one_in_ten_a_half_and_nine_in_ten():
    """Demand doubles in 20 months; the capacity is log-normal, 10 % wide at 90 %."""
    spread = math.exp(0.1 * 1.6448536)
    wide = replace(
        PLAN,
        capacity=Estimate(
            low=20_000.0 / spread, mid=20_000.0, high=20_000.0 * spread, confidence=0.9
        ),
    )
    growth = 2.0 ** (1 / 20) - 1.0
    _, bare = dated(wide, growth_per_month=Estimate.exactly(growth)).dates
    found = [months(at) for at in (bare.early_at, bare.middle_at, bare.late_at)]

    assert found == pytest.approx(
        [(math.log(2.2) + 0.1 * z) / math.log1p(growth) for z in (-1.2816, 0.0, 1.2816)], rel=4e-3
    )


def test_on_another_host_type_the_upper_end_is_as_far_as_the_lower_one():
    fast = replace(HOST, limits={"descriptors": 1e6})
    one = dated(host=fast).dates[1].connections

    assert one.high / one.mid == pytest.approx(one.mid / one.low)
    assert one.confidence == 0.9
    assert dated().dates[1].connections.confidence == 1.0


def test_one_connection_that_is_safe_is_a_lower_end():
    fast = replace(HOST, limits={"descriptors": 1e6})
    one = dated(replace(PLAN, safe_capacity=1), host=fast, headroom_ratio=0.0).dates[1].connections

    assert one.low == 11.0
    assert one.high / one.mid == pytest.approx(one.mid / one.low)


def test_present_instances_that_carry_nothing_are_exhausted_now():
    demand = EXAMPLE["make_demand"](growth_per_month=FIVE, instances=5, deliveries_per_s=3.0)
    nothing = replace(PLAN, safe_capacity=0)
    none_fits = sized(nothing, demand, [replace(HOST, memory_bytes=1e6)])
    found = exhaustion(nothing, demand, none_fits, None)

    assert found.dates[1].connections.low == 0.0
    assert found.dates[1].early_at == NEW_YEAR_AT
