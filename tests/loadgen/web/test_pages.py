"""The Capacity tab and page of Locust's web UI, before, during and after a real short run."""

from locust import LoadTestShape
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.event import Events

import re
import sys
import time
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client.poller import Poller
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master import run_endings
from capacity.loadgen.master.session import Session
from capacity.loadgen.web.pages import mount
from capacity.loadgen.web.table import COLUMNS

EVIL = "<script>alert(1)</script>"
PROFILE = """\
profile: 1
name: page
kind: ramp
levels: [5, 15]
connects_per_s: 200
settle_s: 0.1
plateau_s: 1
mix:
  subscriptions_per_connection: 2
  requests_per_s_per_connection: 0.2
"""


class PageSubscriber(Subscriber):
    weight = 1


class PagePoller(Poller):
    weight = 0


@pytest.fixture
def ui_of(monkeypatch):
    """Mount the pages under a base path; return a client of the UI, and what directs the run."""
    runners = []
    # With each page Locust parses its command line, which here is pytest's.
    monkeypatch.setattr(sys, "argv", ["locust"])

    def mounted(base="", target="", profile="", run=""):
        environment = Environment(user_classes=[PageSubscriber, PagePoller], events=Events())
        environment.parsed_options = get_parser(default_config_files=[]).parse_args([])
        vars(environment.parsed_options).update(
            web_base_path=base,
            capacity_target=str(target),
            capacity_profile=str(profile),
            capacity_run=str(run),
            capacity_resume="",
            capacity_web_allow="",
            capacity_web_names="",
        )
        runner = environment.create_local_runner()
        runners.append(runner)
        Worker(environment)
        session = Session(environment)

        class Shape(LoadTestShape):
            def tick(self):
                return session.tick()

        environment.shape_class = Shape()
        environment.shape_class.runner = runner
        web_ui = environment.create_web_ui("127.0.0.1", 0, web_base_path=base, delayed_start=True)
        mount(environment, session)
        return SimpleNamespace(client=web_ui.app.test_client(), runner=runner, session=session)

    yield mounted
    for runner in runners:
        runner.quit()


@pytest.fixture
def run_files(tmp_path, target_text):
    target, profile = tmp_path / "target.yaml", tmp_path / "profile.yaml"
    target.write_text(target_text(name="page"))
    profile.write_text(PROFILE)
    return {"target": target, "profile": profile, "run": tmp_path / "run"}


def test_the_class_picker_keeps_the_one_shape_there_is(ui_of):
    ui = ui_of(target="demo", profile="quick")
    environment = ui.session._environment
    environment.web_ui.userclass_picker_is_active = True
    environment.available_user_classes = {"PageSubscriber": PageSubscriber}
    shape, begun = environment.shape_class, []
    ui.runner.start_shape = lambda: begun.append(environment.shape_class)

    form = {**FORM, "user_classes": "PageSubscriber", "shape_class": "Default"}
    answer = ui.client.post("/swarm", data=form)

    assert answer.get_json() is None or answer.get_json()["success"], answer.get_json()

    assert begun == [shape]
    assert environment.parsed_options.user_classes == ["PageSubscriber"]


def data_of(ui, base=""):
    return ui.client.get(f"{base}/capacity/data").get_json()


def tab_rows_of(ui, base=""):
    (mine,) = [
        part
        for part in ui.client.get(f"{base}/stats/requests").get_json()["extended_stats"]
        if part["key"] == "capacity"
    ]
    return mine["data"]


def wait_until(condition, patience_s):
    with gevent.Timeout(patience_s):
        while not condition():
            gevent.sleep(0.05)


def test_the_page_and_the_tab_follow_a_run_from_before_to_after(ui_of, run_files, seconds):
    ui = ui_of(**run_files)
    before, tab_before = data_of(ui), tab_rows_of(ui)
    ui.runner.start_shape()
    session = ui.session
    wait_until(lambda: session.controller and session.controller.recorder.samples, seconds(10))
    wait_until(lambda: session.controller.open_connections == 5, seconds(10))
    during = data_of(ui)
    wait_until(lambda: session.controller.is_over, seconds(30))
    after = data_of(ui)
    time.sleep(2.1)  # Locust answers from its cache for two seconds.
    tab_after = tab_rows_of(ui)

    assert ("No run yet; START loads ", [], []) == (
        before["status"][:24],
        before["rows"],
        tab_before,
    )
    assert re.match(
        r"Running, step 2 of 3, \w+: 5 connections open, \d+ users; recording to ", during["status"]
    )
    cells = {row["resource"]: row for row in during["rows"]}
    assert cells["file descriptors"]["used"].endswith(" descriptors")
    assert {"—"} == {row["cost"] for row in during["rows"]}
    assert (
        f"The run is finished: every step was held. Its record is in {run_files['run']}"
        == after["status"]
    )
    cells = {row["resource"]: row for row in after["rows"]}
    descriptors = cells["file descriptors"]
    assert re.fullmatch(r"1(\.\d+)? descriptors?", descriptors["cost"])
    assert int(descriptors["ceiling"].replace(",", "")) > 15
    assert after["rows"] == tab_after


def test_no_cell_is_left_without_a_text(ui_of, run_files, seconds):
    ui = ui_of(**run_files)
    ui.session.tick()
    controller = ui.session.controller
    wait_until(lambda: controller.recorder.samples, seconds(10))
    rows = data_of(ui)["rows"]
    controller.abort(run_endings.stopped())

    assert rows
    assert all(row[key] for row in rows for key, _title in COLUMNS)
    assert not any("not known yet" in text for row in rows for text in row.values())


@pytest.mark.parametrize("base", ["", "/lt"])
def test_locusts_page_gets_the_tab_its_table_and_a_link(ui_of, base):
    ui = ui_of(base=base)
    page = ui.client.get(f"{base}/").get_data(as_text=True)

    assert '"extended_tabs": [{"key": "capacity", "title": "Capacity"}]' in page
    assert all(f'"title": "{title}"' in page for _key, title in COLUMNS)
    assert f'"href": "{base}/capacity/"' in page
    assert [] == tab_rows_of(ui, base)


@pytest.mark.parametrize("base", ["", "/lt"])
def test_locusts_page_gets_the_script_that_fills_the_tab(ui_of, base):
    ui = ui_of(base=base)
    index = ui.client.get(f"{base}/").get_data(as_text=True)
    script = ui.client.get(f"{base}/capacity/tab.js")

    assert f'src="{base}/capacity/tab.js" data-place="{base}/capacity/"' in index
    assert (200, True) == (script.status_code, "capacity/" in index)


@pytest.mark.parametrize("name", ["pages.py", "capacity.html", "..%2Fplugin.py", "%2Fetc%2Fpasswd"])
def test_no_other_file_of_the_program_is_served(ui_of, name):
    assert 404 == ui_of().client.get(f"/capacity/{name}").status_code


def test_rows_are_not_added_twice_to_a_cached_answer(ui_of):
    ui = ui_of()
    for _ in range(3):
        keys = [
            part["key"]
            for part in ui.client.get("/stats/requests").get_json().get("extended_stats", [])
        ]

        assert 1 == keys.count("capacity")


def test_other_answers_of_locust_are_left_alone(ui_of):
    assert "extended_stats" not in ui_of().client.get("/exceptions").get_json()


def test_a_target_with_markup_in_its_name_is_shown_as_text_only(ui_of):
    ui = ui_of(target=EVIL.replace("/", ""), profile="quick")
    ui.session.tick()
    page = ui.client.get("/capacity/").get_data(as_text=True)
    answer = ui.client.get("/capacity/data")
    index = ui.client.get("/").get_data(as_text=True)

    assert "<script>alert(1)" in answer.get_json()["status"]
    assert "application/json" == answer.mimetype
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "<script>alert(1)" not in index


@pytest.mark.parametrize("name", ["live.js", "tab.js"])
def test_scripts_put_data_in_as_text_never_as_markup(ui_of, name):
    script = ui_of().client.get(f"/capacity/{name}").get_data(as_text=True)

    assert not re.search(r"innerHTML|insertAdjacent|document\.write|\beval\b|https?:", script)


def test_nothing_but_our_own_scripts_and_styles_can_run_in_the_page(ui_of):
    ui = ui_of()
    answer = ui.client.get("/capacity/")
    page = answer.get_data(as_text=True)
    policy = answer.headers["Content-Security-Policy"]

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script>|\son\w+=|style=", page)


FORM = {"user_count": "1", "spawn_rate": "1", "host": "x"}
