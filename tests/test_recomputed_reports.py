"""The numbers of a report, reckoned anew from the samples of its run by other code.

Of each bottleneck, of the sizing for a demand, of the reconnect storm and of the exhaustion dates.

Twenty planted runs; fifty with `make test-all`.
"""

import math
import os
import re
import runpy
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from capacity.cli.plan import plan_run
from capacity.cli.report import write_report
from capacity.domain.answers.sizing import Demand, HostType
from capacity.domain.answers.storm_drill import Retry
from capacity.domain.estimates import Estimate
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Resource
from capacity.domain.run import LoadPoint, RunEvent
from capacity.domain.words import RESOURCES
from capacity.notebook import plan as plan_of
from capacity.recording.run_directory import load

ROOT = Path(__file__).parent
PLANTED = runpy.run_path(str(ROOT / "planning" / "comparison" / "planted_change.py"))
RUNS = 50 if os.environ.get("CAPACITY_HYPOTHESIS_PROFILE") == "full" else 20
FACTORS = {"bytes": 1.0, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3, "millicores": 1e-3}
AMOUNT = r"([\d.,]+) ([A-Za-z]+)"
ANSWERS = ("sizing", "storm", "exhaustion")
CONNECT_S = 0.004
"""Core-seconds of the event loop that one planted connect takes."""
AS_OF_AT = 1_767_225_600.0
DAY_S = 86_400.0
MONTH_S = 365.25 / 12 * DAY_S
SHOWN = 0.006
"""Numbers are shown with three digits."""


class Parts(HTMLParser):
    """The first screen's text, and by resource the cells and paragraphs of its proof."""

    def __init__(self, page):
        super().__init__()
        self.proofs, self.walls, self.text = {}, [], []
        self.answers = {name: {"rows": [], "said": []} for name in ANSWERS}
        self.path, self.caption, self.row = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.path.append((tag, dict(attrs)))
        if tag == "tr":
            self.row = []

    def handle_endtag(self, tag):
        while self.path and self.path.pop()[0] != tag:
            pass
        inside = {values.get("id") or values.get("class") for _, values in self.path}
        if tag == "tr" and "proof" in inside and self.row:
            self._proof(inside)["rows"].append(self.row)
        if tag == "tr" and "walls" in inside and self.row:
            self.walls.append(self.row)

    def _proof(self, inside):
        answer = next((name for name in ANSWERS if name in inside), None)
        return self.proofs[self.caption] if answer is None else self.answers[answer]

    def handle_data(self, data):
        tags = [tag for tag, _ in self.path]
        inside = {values.get("id") or values.get("class") for _, values in self.path}
        text = data.strip()
        if not text or "style" in tags:
            return
        if "figcaption" in tags:
            self.caption = text.partition(": reaches its limit")[0].lower()
            self.proofs[self.caption] = {"rows": [], "said": []}
        elif "td" in tags:
            self.row.append(text)
        elif "proof" in inside and "p" in tags:
            self._proof(inside)["said"].append(text)
        elif inside & {"capacity", "bottleneck"} and "svg" not in tags:
            self.text.append(text)


def number(text):
    return float(text.replace(",", ""))


def amount(text):
    value, unit = re.match(AMOUNT, text).groups()
    return number(value) * FACTORS.get(unit, 1.0)


def near(value, rel=SHOWN):
    return pytest.approx(value, rel=rel, abs=0.5 if value > 100 else 1e-9)


def means(record, step, resource):
    return fmean(
        sample.used[resource]
        for sample in record.samples
        if step.plateau_started_at <= sample.at <= step.plateau_ended_at
    )


def reckoned(record, plan, wall):
    """Return baseline, added use of a connection and ceiling, by a plain least-squares fit."""
    steps = [step for step in record.steps if step.load is not None]
    design = [
        [1.0, s.load.connections, s.load.deliveries_per_s, s.load.requests_per_s] for s in steps
    ]
    uses = [means(record, step, wall.resource) for step in steps]
    scale = np.maximum(np.abs(uses), 1e-12)
    costs = np.linalg.lstsq(np.array(design) / scale[:, None], uses / scale, rcond=None)[0]
    mix = [0.0, 1.0, plan.mix.deliveries_per_s, plan.mix.requests_per_s]
    added = float(costs @ mix)
    return float(costs[0]), added, (wall.limit.value - float(costs[0])) / added


def with_ramps(record):
    """Return the run with a planted cost of every connect in the seconds before each plateau."""
    samples, events, points, steps, open_before = list(record.samples), [], [], [], 0
    for step in record.steps:
        opened = max(0, step.step.connections - open_before)
        open_before = step.step.connections
        steps.append(replace(step, connects=opened))
        for name, at in (("ramp", step.started_at), ("plateau", step.plateau_started_at)):
            events.append(
                RunEvent(at=at, kind="phase", detail={"phase": name, "index": step.index})
            )
        points.append(point(step, step.started_at))
        points.append(point(step, step.plateau_ended_at))
        within = [
            index
            for index, sample in enumerate(samples)
            if step.started_at < sample.at < step.plateau_started_at
        ]
        for index in within:
            used = dict(samples[index].used)
            used[Resource.EVENT_LOOP] += CONNECT_S * opened / len(within)
            samples[index] = replace(
                samples[index], used=used, gauges={"accept_queue_limit": 128.0}
            )
    return replace(
        record,
        steps=tuple(steps),
        samples=tuple(samples),
        points=tuple(points),
        events=(*events, *record.events),
    )


def point(step, at):
    return LoadPoint(
        at=at,
        index=step.index,
        phase="plateau",
        users=step.users,
        open_connections=step.step.connections,
        deliveries_per_s=step.load.deliveries_per_s,
        requests_per_s=step.load.requests_per_s,
        failures=0,
    )


def demand_of(seed):
    return Demand(
        name="planted",
        connections=5_000.0 + 400.0 * seed,
        as_of_at=AS_OF_AT,
        size_for_at=AS_OF_AT + 6 * MONTH_S,
        growth_per_month=Estimate(low=0.02, mid=0.04, high=0.06, confidence=0.9),
        deliveries_per_s=None,
        requests_per_s=None,
        headroom_ratio=0.2,
        lost_instances=seed % 2,
        zones=2,
        lost_zones=1,
        host="same",
        instances=30,
        retry=Retry(policy="full_jitter", waits_s=((0.0, 1.0), (0.0, 30.0))),
        handshake_timeout_s=10.0,
        reconnect_window_s=20.0,
    )


def hosts_of(plan):
    """Return the tested host, and one with twice as much of everything but speed."""
    limits = {wall.resource: wall.limit.value for wall in plan.ladder}
    return tuple(
        HostType(
            name=name,
            cores=4.0,
            core_speed_ratio=1.0,
            memory_bytes=factor * limits[Resource.MEMORY],
            network_bytes_per_s=None,
            limits={Resource.DESCRIPTORS: factor * limits[Resource.DESCRIPTORS]},
            price_per_month=factor * 40.0,
            currency="EUR",
        )
        for name, factor in (("same", 1), ("double", 2))
    )


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Return by seed a run as it was recorded, its plan, and its page taken apart."""
    made = {}
    for seed in range(RUNS):
        run = tmp_path_factory.mktemp("recomputed") / f"run-{seed}"
        record = PLANTED["record"](
            seed, memory_limit=90e6 + 20e6 * (seed % 5), descriptors=700.0 + 150.0 * (seed % 4)
        )
        record = with_ramps(record)
        PLANTED["written"](run, record)
        plan = plan_run(run, demand_of(seed), hosts_of(plan_of(record)))
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


def numbers_in(text):
    return [number(each) for each in re.findall(r"\d[\d,]*\.?\d*", text)]


def line_with(lines, *words):
    (found,) = [line for line in lines if all(word in line for word in words)]
    return found


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
