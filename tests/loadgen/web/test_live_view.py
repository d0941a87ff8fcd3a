"""What the page says of real runs while they go on and when they are over."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
import yaml

from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.loadgen.web import live_view
from capacity.loadgen.web.live_view import MOST_SAMPLES, _timeline
from capacity.workload.profiles.profile import Mix, Pace, Phase, Position, ramp_steps

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
    web_ui.wait(lambda data: "step 3 of 3, plateau" in data["status"])
    during = parts_of(web_ui)
    web_ui.wait(lambda data: not data["is_busy"])
    return during, parts_of(web_ui)


def test_step_phase_and_what_comes_next_are_said(whole):
    (texts, _html), _after = whole

    assert re.search(r"Step 3 of 3 plateau at 10 connections, \d s left", texts["now"])
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

    assert re.search(r"connections .*bottleneck: .*safe capacity|No forecast", texts["forecast"])
    assert ('class="interval"' in html) == ("step 2" in texts["forecast"])


def test_after_the_end_the_load_is_off_and_the_ending_is_told(whole):
    _during, (texts, _html) = whole

    assert (
        "Finished: here, profile pairs The run is finished: every step was held." in texts["state"]
    )
    assert "none: the load is off" in texts["now"]


MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.5, poll_interval_s=1.0)
PACE = Pace(connects_per_s=10.0, ramp_timeout_s=10.0, settle_s=5.0, plateau_s=20.0)
STEPS = ramp_steps(levels=[4, 8], mix=MIX, pace=PACE)


def test_private_connections_are_told_from_public_ones(whole, web_ui, okx_venue, okx_target):
    config = web_ui.folder / "config"
    target = okx_target().model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    target |= {"target": 1, "agent": {"local": {"port": okx_venue.port}}}
    (config / "targets" / "both.yaml").write_text(yaml.safe_dump(target))
    both = (config / "profiles" / "pairs.yaml").read_text().replace("[5, 10]", "[4, 8]")
    (config / "profiles" / "both.yaml").write_text(both.replace("pairs", "both"))
    form = {"capacity_target": "both", "capacity_profile": "both"}
    assert 303 == web_ui.post("/capacity/start", form).status_code
    data = web_ui.wait(lambda data: "step 3 of 3, plateau" in data["status"])
    texts, _html = parts_of(web_ui)
    web_ui.wait(lambda data: not data["is_busy"])

    assert "8 connections open, 4 of them private, 4 users" in data["status"]
    assert "Open connections 8 4 of them private; by the generator; by the target" in texts["now"]


@pytest.mark.parametrize(
    ("phase", "elapsed_s", "said"),
    [
        (Phase.RAMP, 103.0, "ramp to 4 connections"),
        (Phase.SETTLE, 103.0, "settle at 4 connections, 2 s left"),
        (Phase.PLATEAU, 103.0, "plateau at 4 connections, 17 s left"),
        (Phase.PLATEAU, 130.0, "plateau at 4 connections, 0 s left"),
    ],
)
def test_a_phase_is_told_with_what_is_left_of_it(phase, elapsed_s, said):
    position = Position(index=1, phase=phase, since_s=100.0)
    controller = SimpleNamespace(
        position=position, step=STEPS[1], elapsed_s=elapsed_s, drills=drills_at(None)
    )

    assert said == live_view._phase(controller)


def drills_at(number, *habits):
    return SimpleNamespace(number=number, habits=habits)


HABITS = ("immediate", "full_jitter")


@pytest.mark.parametrize(
    ("number", "stops", "phase", "upcoming"),
    [
        (None, False, "plateau at 4 connections, 17 s left", "storm drill 1 of 2, immediate"),
        (0, False, "storm drill 1 of 2, immediate", "storm drill 2 of 2, full jitter"),
        (1, False, "storm drill 2 of 2, full jitter", "nothing; this is the last storm drill"),
        (
            0,
            True,
            "storm drill 1 of 2, immediate",
            "the run ends when this storm drill is over, as asked for",
        ),
    ],
)
def test_a_storm_drill_is_told_and_what_follows_it(number, stops, phase, upcoming):
    controller = SimpleNamespace(
        position=Position(index=1, phase=Phase.PLATEAU, since_s=100.0),
        step=STEPS[1],
        steps=STEPS[:2],
        elapsed_s=103.0,
        stops_after_step=stops,
        drills=drills_at(number, *HABITS),
    )

    assert phase == live_view._phase(controller)
    assert upcoming == live_view._upcoming(controller)


@pytest.mark.parametrize(
    ("index", "stops", "is_search", "said"),
    [
        (1, False, False, "8 connections, 4 requests/s"),
        (2, False, False, "nothing; this is the last step"),
        (2, False, True, "decided from whether this step holds"),
        (1, True, False, "the run ends when this step is over, as asked for"),
    ],
)
def test_what_comes_next_is_told(index, stops, is_search, said):
    controller = SimpleNamespace(
        stops_after_step=stops,
        steps=STEPS,
        position=Position(index=index, phase=Phase.RAMP, since_s=0.0),
        course=SimpleNamespace(is_search=is_search),
        drills=drills_at(None),
    )

    assert said == live_view._upcoming(controller)


def events_of(*kinds, **detail):
    events = [
        RunEvent(at=1000.0 + 61 * n, kind=kind, detail=detail) for n, kind in enumerate(kinds)
    ]
    return SimpleNamespace(recorder=SimpleNamespace(started_at=1000.0, events=events))


def test_the_newest_eight_events_are_told_newest_first_and_quiet_ones_are_not():
    kinds = [f"kind_{n}" for n in range(10)]
    told = live_view._events(events_of(*kinds, "phase", "climb", "trial", "finished", "aborted"))

    assert [f"kind {n}" for n in range(9, 1, -1)] == [text for _clock, text in told]
    assert ["9:09", "8:08"] == [clock for clock, _text in told[:2]]


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("eased", {"connects_per_s": 5.0, "statement": "x"}, "arrivals slowed to 5 connects/s: x"),
        ("guard", {"guard": "loss", "statement": "x"}, "guard loss: x"),
        ("worker_lost", {"worker": "w", "reason": "gone", "more": 1}, "worker lost: gone and w"),
        ("agent_back", {}, "agent back"),
        ("storm_skipped", {"reason": "x"}, "no storm drill: x"),
    ],
)
def test_an_event_is_told_in_words(kind, detail, said):
    assert said == live_view._event_text(RunEvent(at=1.0, kind=kind, detail=detail))


@pytest.mark.parametrize(
    ("passed_s", "said"),
    [(-5.0, "0:00"), (0.4, "0:00"), (59.4, "0:59"), (60.0, "1:00"), (3661.0, "61:01")],
)
def test_a_clock_counts_minutes_and_seconds(passed_s, said):
    assert said == live_view._clock(passed_s)


def test_drawing_many_hours_looks_at_no_more_samples_than_drawing_few():
    looked_at = []

    class Used(dict):
        def __getitem__(self, resource):
            looked_at.append(self.second)
            return super().__getitem__(resource)

    def sample(second):
        used = Used({Resource.APPLICATION_CONNECTIONS: 60_000.0})
        used.second = second
        return SimpleNamespace(at=float(second), used=used)

    recorder = SimpleNamespace(
        started_at=0.0,
        points=[SimpleNamespace(at=20_000.0, open_connections=60_000)],
        samples=[sample(second) for second in range(20_000)],
    )
    drawn = _timeline(
        SimpleNamespace(
            recorder=recorder,
            preflight=SimpleNamespace(clock_offset=None),
            observations=(),
            step=SimpleNamespace(connections=60_000),
        )
    )

    assert "now 60,000" in drawn
    assert looked_at[-1] == 19_999, "the newest one is there"
    assert len(looked_at) <= MOST_SAMPLES
