"""The example run whole and in parts, and readers that check the shape of what they read."""

import runpy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from capacity.domain.run import RunEvent
from capacity.domain.target import TargetSpec

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_run.py")))
EXAMPLE_PLAN = runpy.run_path(str(Path(__file__).with_name("example_plan.py")))


def make_partial_records():
    """Return a record for every way in which a run may be incomplete."""
    whole = EXAMPLE["make_record"]()
    manifest, step = whole.manifest, whole.steps[0]
    absent = {"delivery_delay": None, "request_latency": None, "handshake_time": None}
    not_reached = replace(
        step,
        plateau_started_at=None,
        plateau_ended_at=None,
        load=None,
        generator=None,
        failures={"connect_refused": 31, "connect_timeout": 2},
        lost=5,
        **absent,
    )
    empty = {"steps": (), "samples": (), "points": (), "events": ()}
    return {
        "nothing was recorded": replace(whole, **empty, missing=("every step",)),
        "no samples": replace(whole, samples=(), missing=("every sample of the agent",)),
        "no steps": replace(whole, steps=()),
        "no points": replace(whole, points=()),
        "no agent": replace(
            whole,
            samples=(),
            points=(),
            manifest=replace(manifest, agent=None, clock_offset=None, audited_bound=None),
        ),
        "one step, not reached": replace(whole, steps=(not_reached,)),
        "every step void": replace(
            whole, steps=tuple(replace(step, void="a worker was lost") for step in whole.steps)
        ),
        "aborted": replace(
            whole,
            steps=whole.steps[:2],
            events=(
                RunEvent(at=manifest.started_at + 30, kind="aborted", detail={"reason": "guard"}),
            ),
            missing=("the end: the run was aborted (guard)", "7 of 9 steps"),
        ),
        "bare settings": replace(
            whole, manifest=replace(manifest, target=TargetSpec(), profile={})
        ),
    }


class Page(HTMLParser):
    """Checks that every element is closed in order, and collects what a test asks for."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.attributes, self.text = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="session")
def record():
    return EXAMPLE["make_record"]()


@pytest.fixture(scope="session")
def plan():
    return EXAMPLE_PLAN["make_plan"]()


@pytest.fixture(scope="session")
def excuse():
    return EXAMPLE_PLAN["make_excuse"]()


@pytest.fixture(scope="session")
def partial_records():
    return make_partial_records()


@pytest.fixture
def page():
    """Parse a page and check its shape."""
    return Page


@pytest.fixture
def parsed_svg():
    """Parse a chart as the XML that it must be."""
    return ET.fromstring


@pytest.fixture
def long_record():
    """An hour of samples, one a second, over forty steps."""
    return EXAMPLE["make_record"](
        steps=[step for step in EXAMPLE["STEPS"] for _ in range(5)][:40], plateau_samples=90
    )
