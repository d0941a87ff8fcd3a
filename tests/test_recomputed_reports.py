"""Every number of a bottleneck in a report, reckoned anew from the samples of its run by other code.

Twenty planted runs; fifty with `make test-all`.
"""

import os
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from capacity.cli.plan import plan_run
from capacity.cli.report import write_report
from capacity.domain.resource_facts import COUNTED
from capacity.domain.words import RESOURCES
from capacity.recording.run_directory import load

ROOT = Path(__file__).parent
PLANTED = runpy.run_path(str(ROOT / "planning" / "comparison" / "planted_change.py"))
RUNS = 50 if os.environ.get("CAPACITY_HYPOTHESIS_PROFILE") == "full" else 20
FACTORS = {"bytes": 1.0, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3, "millicores": 1e-3}
AMOUNT = r"([\d.,]+) ([A-Za-z]+)"
SHOWN = 0.006
"""Numbers are shown with three digits."""


class Parts(HTMLParser):
    """The first screen's text, and by resource the cells and paragraphs of its proof."""

    def __init__(self, page):
        super().__init__()
        self.proofs, self.walls, self.text = {}, [], []
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
            self.proofs[self.caption]["rows"].append(self.row)
        if tag == "tr" and "walls" in inside and self.row:
            self.walls.append(self.row)

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
            self.proofs[self.caption]["said"].append(text)
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


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Return by seed a run as it was recorded, its plan, and its page taken apart."""
    made = {}
    for seed in range(RUNS):
        run = tmp_path_factory.mktemp("recomputed") / f"run-{seed}"
        record = PLANTED["record"](
            seed, memory_limit=90e6 + 20e6 * (seed % 5), descriptors=700.0 + 150.0 * (seed % 4)
        )
        PLANTED["written"](run, record)
        plan = plan_run(run)
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
