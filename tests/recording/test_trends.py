import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.recording.history_row import Outcome
from capacity.recording.trends import trend, value_of

row_of = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))["row_of"]

DAY_S = 86_400.0


def night(index, capacity, **changes):
    row = row_of(
        run=f"nightly-{index}",
        started_at=1e9 + index * DAY_S,
        finished_at=1e9 + index * DAY_S + 1.0,
        capacity_mid_connections=capacity,
        safe_capacity_connections=int(capacity),
        fingerprint="a",
        unit_costs={"memory": {"per_connection_along_mix": 2.0 * index}},
    )
    return replace(row, **changes)


FALLING = [night(n, 1000.0 - n) for n in range(10)]


def test_points_are_in_the_order_of_time_each_beside_those_before():
    found = trend(FALLING[::-1], "capacity.mid")

    assert [point.value for point in found.points] == [1000.0 - n for n in range(10)]
    assert found.points[0].drift is None
    assert found.points[3].drift.median == 999.0
    assert found.unit == "connections"


def test_the_slope_is_a_share_of_the_median_a_month():
    found = trend(FALLING, "capacity.mid")

    assert found.per_month_ratio.mid == pytest.approx(-30.4375 / 995, rel=0.01)


def test_a_cost_is_in_the_unit_of_its_resource():
    found = trend(FALLING, "cost.memory_per_connection")

    assert found.unit == "bytes"
    assert found.points[-1].value == 18.0


def test_runs_that_may_not_be_compared_with_the_latest_are_counted():
    rows = [*FALLING, night(20, 500.0, fingerprint="b")]

    assert len(trend(rows, "capacity.mid").points) == 1
    assert trend(rows, "capacity.mid").left_out == 10


def test_a_figure_that_no_run_has_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no run has cost.cpu.*capacity.safe.*cost.memory_per"):
        trend(FALLING, "cost.cpu_per_connection")
    with pytest.raises(ConfigError, match="no run with a plan"):
        trend([night(0, 1.0, outcome=Outcome.FAILED)], "capacity.mid")


def test_values_that_were_not_kept_are_none():
    bare = replace(night(1, 10.0), unit_costs=None, safe_capacity_connections=None)

    assert value_of(bare, "cost.memory_per_connection") is None
    assert value_of(bare, "capacity.safe") is None
    assert value_of(bare, "elsewhere") is None
    assert value_of(night(1, 10.0), "capacity.safe") == 10.0
