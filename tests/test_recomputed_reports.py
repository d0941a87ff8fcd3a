"""The numbers of a report, reckoned anew from the samples of its run by other code.

Of each bottleneck, of the sizing for a demand, of the reconnect storm and of the exhaustion dates.

Twenty planted runs; fifty with `make test-all`.
"""

import math
import os
import re
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from capacity.cli.plan import plan_run
from capacity.cli.report import write_report
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES
from capacity.notebook import plan as plan_of
from capacity.recording.run_directory import load

ROOT = Path(__file__).parent
RECKONED = runpy.run_path(str(ROOT / "reckoned_runs.py"))
AS_OF_AT, CONNECT_S, MONTH_S = (RECKONED[name] for name in ("AS_OF_AT", "CONNECT_S", "MONTH_S"))
demand_of, means, reckoned = (RECKONED[name] for name in ("demand_of", "means", "reckoned"))
PAGE = runpy.run_path(str(ROOT / "report_page.py"))
AMOUNT, Parts = PAGE["AMOUNT"], PAGE["Parts"]
amount, number, numbers_in = (PAGE[name] for name in ("amount", "number", "numbers_in"))
line_with = PAGE["line_with"]
RUNS = 50 if os.environ.get("CAPACITY_HYPOTHESIS_PROFILE") == "full" else 20
DAY_S = 86_400.0
SHOWN = 0.006
"""Numbers are shown with three digits."""


def near(value, rel=SHOWN):
    return pytest.approx(value, rel=rel, abs=0.5 if value > 100 else 1e-9)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Return by seed a run as it was recorded, its plan, and its page taken apart."""
    made = {}
    for seed in range(RUNS):
        run = tmp_path_factory.mktemp("recomputed") / f"run-{seed}"
        record = RECKONED["planted"](seed)
        RECKONED["PLANTED"]["written"](run, record)
        plan = plan_run(run, demand_of(seed), RECKONED["hosts_of"](plan_of(record)))
        write_report(run, ["html"])
        made[seed] = (load(run), plan, Parts((run / "report.html").read_text("utf-8")))
    return made


@pytest.mark.parametrize("seed", range(RUNS))
def test_readings_fit_and_arithmetic_follow_from_the_samples(reports, seed):
    record, plan, page = reports[seed]
    for wall in plan.ladder:
        proof = page.proofs[RESOURCES[wall.resource].lower()]
        for step, row in zip(record.steps, proof["rows"], strict=True):
            assert number(row[1]) == round(step.load.connections)
            assert number(row[2]) == near(step.load.deliveries_per_s)
            # Windows that still warmed up are left out of the mean.
            assert amount(row[4]) == near(means(record, step, wall.resource), rel=0.012)
        said = " ".join(proof["said"])
        line = next(each for each in proof["said"] if " − " in each)
        limit, baseline, added = (
            amount(" ".join(found)) for found in re.findall(AMOUNT, line.partition(" = ")[0])
        )
        quotient = re.search(r"= ([\d,.]+) connections", line)[1]
        assert wall.limit.source in said
        assert limit == near(wall.limit.value)
        assert number(quotient) == near((limit - baseline) / added, rel=0.015)
        own_baseline, own_added, own_ceiling = reckoned(record, plan, wall)
        assert added == near(own_added, rel=0.05)
        assert number(quotient) == near(own_ceiling, rel=0.05)
        assert abs(baseline - own_baseline) < 0.03 * limit


@pytest.mark.parametrize("seed", range(RUNS))
def test_the_first_screen_and_the_bottlenecks_are_those_reckoned(reports, seed):
    record, plan, page = reports[seed]
    ceilings = {RESOURCES[wall.resource]: reckoned(record, plan, wall)[2] for wall in plan.ladder}
    first = min(ceilings, key=ceilings.get)
    text = " ".join(page.text)
    shown = number(re.search(r"instance ([\d,]+) connections", text)[1])
    fan = re.search(r"90 %: ([\d,]+) to ([\d,]+)", text)
    low, high = (shown, shown) if fan is None else map(number, fan.groups())
    safe = number(re.search(r"plan with: ([\d,]+)", text)[1])

    assert shown == near(ceilings[first], rel=0.04)
    assert first[1:] in text
    assert safe <= shown
    assert safe == near(low, rel=0.01)
    assert high >= shown
    for row in page.walls:
        assert number(row[3]) == near(ceilings[row[0]], rel=0.05)
        wall = next(each for each in plan.ladder if RESOURCES[each.resource] == row[0])
        highest = max(record.steps, key=lambda s: (s.load.connections, s.load.deliveries_per_s))
        share = means(record, highest, wall.resource) / wall.limit.value * 100
        assert number(row[2]) == pytest.approx(share, rel=0.02, abs=0.01)
        if wall.resource in COUNTED:
            assert number(row[3]) == int(number(row[3]))


@pytest.mark.parametrize("seed", range(RUNS))
def test_the_sizing_follows_from_the_demand_and_the_limits_reckoned(reports, seed):
    record, plan, page = reports[seed]
    said, rows = (page.answers["sizing"][part] for part in ("said", "rows"))
    demand = demand_of(seed)
    peak = demand.connections * 1.06**6
    assert numbers_in(line_with(said, "months ="))[-4] == near(peak)
    for row in rows:
        wall = next(each for each in plan.ladder if RESOURCES[each.resource] == row[1])
        baseline, added, _ = reckoned(record, plan, wall)
        doubled = row[0] == "double" and wall.resource is not Resource.EVENT_LOOP
        limit = wall.limit.value * (2.0 if doubled else 1.0)
        assert amount(row[2]) == near(limit)
        assert number(row[6]) == near((limit - baseline) / added, rel=0.05)
    for name, factor in (("same", 1), ("double", 2)):
        safe, _, kept, usable = numbers_in(line_with(said, f"{name}: ⌊min(").partition(" = ")[2])
        assert usable == math.floor(safe * kept + 1e-9)
        assert kept == 0.8
        if name == "same":
            assert safe == number(re.search(r"plan with: ([\d,]+)", " ".join(page.text))[1])
        needed = math.ceil(peak / usable) + demand.lost_instances
        instances, left = 2 * needed, needed - demand.lost_instances
        assert numbers_in(line_with(said, f"{name}: 2 zones"))[-2:] == [instances, left]
        first = next(row for row in rows if row[0] == name)
        wall = next(each for each in plan.ladder if RESOURCES[each.resource] == first[1])
        baseline, added, _ = reckoned(record, plan, wall)
        used = number(re.search(r"= (\d+) %", line_with(said, f"{name} at peak"))[1])
        share = (baseline + added * peak / instances) / amount(first[2]) * 100
        assert used == pytest.approx(share, abs=1.0)
        price = numbers_in(line_with(said, f"{name}: ", " per month"))
        assert price == [instances, factor * 40.0, instances * factor * 40.0]


@pytest.mark.parametrize("seed", range(RUNS))
def test_the_storm_follows_from_the_planted_cost_of_a_connect(reports, seed):
    record, plan, page = reports[seed]
    said, rows = (page.answers["storm"][part] for part in ("said", "rows"))
    demand = demand_of(seed)
    peak = demand.connections * 1.06**6
    opened = [(step.index + 1, step.connects) for step in record.steps if step.connects]
    assert [(int(row[0]), number(row[1])) for row in rows if number(row[1])] == opened
    connect = line_with(said, "a + b = ")
    low, high = (
        float(each) for each in re.search(r"\(([\d.]+) ms to ([\d.]+) ms", connect).groups()
    )
    assert low * 0.9 < CONNECT_S * 1e3 < high * 1.1
    wall = next(each for each in plan.ladder if each.resource is Resource.EVENT_LOOP)
    baseline, added, _ = reckoned(record, plan, wall)
    for index, line in enumerate(said):
        if not line.startswith("reconnects: "):
            continue
        *parts, arrivals = numbers_in(line)
        left = parts[1]
        own = peak / left - (peak / parts[3] if len(parts) > 2 else 0.0)
        assert arrivals == near(own)
        rate = said[index + 1]
        limit, use, taken_ms, served = numbers_in(rate)[:4]
        assert (limit, taken_ms) == (1.0, near(high))
        assert baseline + added * peak / left <= use * 1.02
        assert served == near((limit - use) / (taken_ms / 1e3), rel=0.01)
        assert numbers_in(said[index + 2])[-1] == served
        assert numbers_in(said[index + 3])[-1] == near(arrivals / (0.7 * served))
        assert ("overflows" in said[index + 4]) == (arrivals > 128)
        is_safe = arrivals - served * 20.0 <= served * 10.0
        assert said[index + 5].startswith("recovers unaided: yes") or not is_safe


@pytest.mark.parametrize("seed", range(RUNS))
def test_the_exhaustion_dates_follow_from_what_the_instances_carry(reports, seed):
    record, plan, page = reports[seed]
    said, demand = page.answers["exhaustion"]["said"], demand_of(seed)
    lowest = min(reckoned(record, plan, wall)[2] for wall in plan.ladder)
    carried = [line for line in said if "connections of one" in line]
    for line, factor in zip(carried, ((15 - seed % 2) * 0.8, 30), strict=True):
        total = number(re.search(r"= ([\d,]+) connections", line)[1])
        assert total == near(lowest * factor, rel=0.05)
        months = math.log(total / demand.connections) / math.log(1.04)
        met = line_with(said, line.partition(":")[0] + ": ", "ln(" if months > 0 else "not above")
        if months > 0:
            assert number(re.search(r"= ([\d.,]+) months", met)[1]) == near(months)
            day = datetime.fromtimestamp(AS_OF_AT + months * MONTH_S, UTC)
            shown = datetime.fromisoformat(re.findall(r"\d{4}-\d\d-\d\d", met)[-1] + "T00Z")
            assert abs((day - shown).total_seconds()) <= 1.5 * DAY_S
