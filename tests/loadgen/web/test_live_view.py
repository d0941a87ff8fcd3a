"""What the page says of real runs while they go on and when they are over."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.web.live_view import _guards
from capacity.settings.profile import ADAPTER

# One run for all of them: in one process of several.
pytestmark = pytest.mark.xdist_group("live view")


class Parts(HTMLParser):
    """The text of each part of the page."""

    def __init__(self, html):
        super().__init__()
        self.texts, self._stack = {}, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "section":
            self._stack.append(dict(attrs).get("data-part"))

    def handle_endtag(self, tag):
        if tag == "section":
            self._stack.pop()

    def handle_data(self, data):
        if self._stack:
            part = self._stack[-1]
            self.texts[part] = f"{self.texts.get(part, '')} {data}"


def parts_of(ui):
    html = ui.get("/capacity/").text
    return {part: " ".join(text.split()) for part, text in Parts(html).texts.items()}, html


@pytest.fixture(scope="module")
def whole(web_ui):
    """The page on the second plateau of a run and after its end."""
    form = {"capacity_target": "here", "capacity_profile": "pairs"}
    assert 303 == web_ui.post("/capacity/start", form).status_code
    web_ui.wait(lambda data: "step 2 of 2, plateau" in data["status"])
    during = parts_of(web_ui)
    web_ui.wait(lambda data: not data["is_busy"])
    return during, parts_of(web_ui)


def test_step_phase_and_what_comes_next_are_said(whole):
    (texts, _html), _after = whole

    assert re.search(r"Step 2 of 2 plateau at 10 connections, \d s left", texts["now"])
    assert "Open connections 10 by the generator; by the target" in texts["now"]
    assert "Next nothing; this is the last step" in texts["now"]
    assert "Running: here, profile pairs" in texts["state"]


def test_connections_are_drawn_by_the_generator_and_by_the_target(whole):
    (_texts, html), _after = whole

    assert 'class="line generator"' in html
    assert 'class="line target"' in html


def test_each_resource_that_was_read_has_its_use_and_a_bar_towards_its_limit(whole):
    (texts, html), _after = whole

    assert "file descriptors" in texts["resources"]
    assert re.search(r"\d+ descriptors < 1 % of [\d,]+ descriptors", texts["resources"])
    assert 'class="bar"' in html


def test_guards_generator_and_caveats_are_said(whole):
    (texts, _html), (after, _) = whole

    assert "the target's process is alive" in texts["guards"]
    assert "no guards: the run goes on whatever happens to the target" in texts["guards"]
    assert re.search(r"1 worker; the busiest uses .* of a core", texts["health"])
    assert "caveat" in after["health"]


def test_a_forecast_appears_with_interval_and_bottleneck_or_says_what_is_missing(whole):
    _during, (texts, html) = whole

    assert re.search(
        r"connections .*bottleneck: .*safe capacity|No forecast yet", texts["forecast"]
    )
    assert ('class="interval"' in html) == ("step 1" in texts["forecast"])


def test_after_the_end_the_load_is_off_and_the_ending_is_told(whole):
    _during, (texts, _html) = whole

    assert (
        "Finished: here, profile pairs The run is finished: every step was held." in texts["state"]
    )
    assert "none: the load is off" in texts["now"]


@pytest.mark.parametrize(("share", "kind"), [(0.4, "ok"), (0.95, "near"), (1.5, "bad")])
def test_a_guard_is_ok_near_its_bound_or_beyond_it(report, share, kind):
    guarded = {"profile": 1, "name": "g", "kind": "ramp", "levels": [2], "guards": {}}
    profile = ADAPTER.validate_python(guarded)
    merged = MergedCounts()
    merged.add("a", report(lost=round(share * profile.guards.lost_ratio * 10_000)))
    controller = SimpleNamespace(
        recorder=SimpleNamespace(samples=()),
        preflight=SimpleNamespace(agent=None, limits=()),
        profile=profile,
        counts=merged,
        book=SimpleNamespace(connections_peak=10_000),
    )

    remarks = _guards(controller)

    assert [kind] == [remark.kind for remark in remarks if remark.text.startswith("loss:")]
