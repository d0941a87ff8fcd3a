import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.estimates import Estimate
from capacity.domain.units import MONTH_S
from capacity.recording.outlook import outlook

RECORDS = runpy.run_path(str(Path(__file__).parents[1] / "bare_records.py"))
row_of = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))["row_of"]

NOW_AT = 1e9 + 30 * 86_400.0
DEMAND = RECORDS["demand_of"](as_of_at=NOW_AT, growth_per_month=Estimate.exactly(0.1))


def nights(per_night=0.0):
    return [
        row_of(
            run=f"nightly-{n}",
            started_at=1e9 + n * 86_400.0,
            finished_at=1e9,
            capacity_low_connections=1000.0 * (1 + per_night) ** n,
            capacity_mid_connections=1000.0 * (1 + per_night) ** n,
            capacity_high_connections=1000.0 * (1 + per_night) ** n,
            fingerprint="a",
        )
        for n in range(30)
    ]


def test_a_steady_capacity_lasts_until_the_growth_meets_it():
    found = outlook(nights(), DEMAND, None, NOW_AT)

    assert found.usable.mid == pytest.approx(8000.0)
    assert found.capacity_per_month is None
    # 5000 · 1.1ᵗ = 8000 at t = 4.93 months.
    assert (found.middle_at - NOW_AT) / MONTH_S == pytest.approx(4.93, abs=0.01)


def test_a_capacity_that_erodes_brings_the_date_forward():
    found = outlook(nights(-0.002), DEMAND, None, NOW_AT)
    steady = outlook(nights(), DEMAND, None, NOW_AT)

    assert found.capacity_per_month.mid == pytest.approx(-0.06, abs=0.005)
    assert found.middle_at < steady.middle_at


def test_a_capacity_that_erodes_meets_even_a_demand_that_stays():
    still = replace(DEMAND, growth_per_month=None)

    assert outlook(nights(), still, None, NOW_AT).middle_at is None
    assert outlook(nights(-0.002), still, None, NOW_AT).middle_at is not None


def test_instances_may_be_given_instead():
    assert outlook(nights(), DEMAND, 20, NOW_AT).usable.mid == pytest.approx(16_000.0)


def test_without_instances_there_is_no_date():
    with pytest.raises(ConfigError, match="give --instances"):
        outlook(nights(), replace(DEMAND, instances=None), None, NOW_AT)
