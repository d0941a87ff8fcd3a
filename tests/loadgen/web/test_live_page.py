"""The page's forms and its report, against real Locust processes."""

import os
import re
import time
from itertools import product
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
LOGIN = """
from locust import events

@events.init.add_listener
def with_login(environment, web_ui=None, **_):
    if web_ui is not None:
        web_ui.app.config["SECRET_KEY"] = "of-this-test"
        web_ui.login_manager.user_loader(lambda _user: None)
"""
ROUTES = ["/", "/data", "/live.js", "/live.css", "/tab.js", "/report/report.html"]


def start(ui, **form):
    return ui.post("/capacity/start", {f"capacity_{key}": value for key, value in form.items()})


def report_of(ui, patience_s=180.0):
    """Return the page when the report of the run is there; looking at it has it made."""
    deadline_s = time.monotonic() + patience_s
    while "report/report.html" not in (page := ui.get("/capacity/").text):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no report in time: {page}")
        time.sleep(0.2)
    return page


def test_the_report_of_a_run_is_made_when_it_is_over_and_served_beside_the_page(web_ui):
    start(web_ui, target="here", profile="short")
    web_ui.wait(lambda data: data["is_busy"])
    during = web_ui.get("/capacity/report/report.html")
    web_ui.wait(lambda data: not data["is_busy"])
    report_of(web_ui)
    report = web_ui.get("/capacity/report/report.html")
    plan = web_ui.get("/capacity/report/plan.json")

    assert 404 == during.status_code
    assert (200, "text/html; charset=utf-8") == (report.status_code, report.headers["Content-Type"])
    assert "Capacity of here" in report.text
    assert "sandbox" in report.headers["Content-Security-Policy"]
    assert (200, "application/json") == (plan.status_code, plan.headers["Content-Type"])
    for path in ("run.json", "locust.log", "..%2frun.json", "%2fetc%2fpasswd", "../data"):
        answer = web_ui.get(f"/capacity/report/{path}")
        assert answer.status_code == 404 or answer.url.endswith("/capacity/data")


def test_a_check_shows_steps_highest_load_and_findings_and_keeps_what_was_chosen(web_ui):
    form = {"capacity_target": "here", "capacity_profile": "pairs", "demand": "example"}
    answer = web_ui.post("/capacity/check", form)
    page = web_ui.get("/capacity/").text

    assert 303 == answer.status_code
    assert "pairs against here: at most 10 connections and 2 requests/s" in page
    assert "handshake and subscription" in page
    assert re.search(r'<option value="pairs" selected>', page)
    assert re.search(r'<option value="example" selected>', page)
    assert not web_ui.data()["is_busy"]


@pytest.mark.parametrize("action", ["start", "check"])
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"capacity_target": "/etc/passwd"}, "There is no target"),
        ({"capacity_target": "nosuch"}, "There is no target"),
        ({"capacity_profile": "shatter"}, "--capacity-web-allow break"),
        ({"capacity_run": "mine"}, "--capacity-web-allow run"),
        ({"capacity_target": "invalid"}, "config/targets/invalid.yaml:2"),
    ],
)
def test_what_the_form_may_not_ask_for_is_told_in_it(web_ui, action, form, said):
    web_ui.post(f"/capacity/{action}", form)
    page = web_ui.get("/capacity/").text

    assert said in page
    assert "hunter2" not in page
    assert not web_ui.data()["is_busy"]


def test_a_guards_ending_is_told_in_words_on_page_and_data(web_ui):
    start(web_ui, target="hurried", profile="careful")
    web_ui.wait(lambda data: data["is_busy"])
    after = web_ui.wait(lambda data: not data["is_busy"])
    page = web_ui.get("/capacity/").text

    assert 12 == after["exit_code"]
    assert after["is_bad"]
    for text in (after["status"], page):
        assert "guard removed the load at step" in text
    assert "Ended early: hurried, profile careful" in page


def test_a_target_that_does_not_answer_is_refused_in_words(web_ui):
    start(web_ui, target="closed", profile="short")
    after = web_ui.wait(lambda data: data["is_bad"] and not data["is_busy"])
    page = web_ui.get("/capacity/").text

    assert "no WebSocket there" in after["status"]
    assert re.search(r"<h2>Refused: closed, profile short</h2><p>[^<]*no WebSocket there", page)


def test_a_form_that_is_refused_keeps_its_choice_and_shows_no_earlier_preview(web_ui):
    web_ui.post("/capacity/check", {"capacity_target": "here", "capacity_profile": "pairs"})
    previewed = web_ui.get("/capacity/").text
    web_ui.post("/capacity/check", {"capacity_target": "invalid", "capacity_profile": "careful"})
    refused = web_ui.get("/capacity/").text

    assert "pairs against here" in previewed
    assert "config/targets/invalid.yaml" in refused
    assert "pairs against here" not in refused
    assert '<option value="invalid" selected>' in refused
    assert '<option value="careful" selected>' in refused


def test_a_form_that_comes_while_a_run_is_on_is_not_told_of_after_it(web_ui):
    start(web_ui, target="here", profile="short")
    web_ui.wait(lambda data: data["is_busy"])
    start(web_ui, target="here", profile="pairs")
    web_ui.wait(lambda data: not data["is_busy"])
    page = web_ui.get("/capacity/").text

    assert "Finished: here, profile short" in page
    assert "stop it first" not in page


def test_while_the_next_run_is_looked_at_nothing_of_the_last_one_is_shown(web_ui):
    start(web_ui, target="here", profile="short")
    web_ui.wait(lambda data: data["is_busy"])
    before = web_ui.wait(lambda data: not data["is_busy"])
    report_of(web_ui)
    start(web_ui, target="here", profile="short")
    page, data = web_ui.get("/capacity/").text, web_ui.data()
    web_ui.post("/capacity/stop")
    web_ui.wait(lambda data: not data["is_busy"])

    assert (0, 0) == (before["exit_code"], before["open_connections"])
    assert "Checking: here, profile short" in page
    assert "was the last one" not in page
    assert "report/report.html" not in page
    assert '<section data-part="controls" class="controls">' in page
    assert (None, None) == (data["run"], data["open_connections"])


def test_what_scripts_read_after_a_refusal_is_of_the_run_that_was_refused(web_ui):
    start(web_ui, target="here", profile="short")
    web_ui.wait(lambda data: data["is_busy"])
    web_ui.wait(lambda data: not data["is_busy"])
    start(web_ui, target="closed", profile="short")
    refused = web_ui.wait(lambda data: data["is_bad"] and not data["is_busy"])

    assert (4, None, None) == (
        refused["exit_code"],
        refused["run"],
        refused["open_connections"],
    )


def test_the_page_of_a_run_that_is_over_says_where_its_record_is(web_ui):
    start(web_ui, target="here", profile="short")
    web_ui.wait(lambda data: data["is_busy"])
    run = web_ui.wait(lambda data: not data["is_busy"])["run"]

    assert f"The run is finished: every step was held. The record is in {run}." in (
        web_ui.get("/capacity/").text
    )


STATE = "(document.querySelector('[data-part=state]')?.innerText ?? '')"


def pressed_start(browser, ui, **form):
    """Fill in the form of the page as a person does, and press its button."""
    browser.show(f"{ui.url}/capacity/")
    for name, value in form.items():
        browser.tell(f"document.querySelector('[name=capacity_{name}]').value = '{value}'")
    browser.tell("window.before = true; document.querySelector('button.go').click()")
    # Until the answer is there, the page tells how the run before this one ended.
    browser.wait_for("window.before === undefined && document.querySelector('[data-part]')")


@pytest.mark.parametrize(
    ("form", "stopped_at", "headline", "exit_code"),
    [
        ({"target": "here", "profile": "long"}, "plateau at", "Stopped: here, profile long", 130),
        (
            {"target": "hurried", "profile": "careful"},
            None,
            "Ended early: hurried, profile careful",
            12,
        ),
    ],
)
def test_who_watches_in_a_browser_is_told_the_end_as_it_was_recorded(
    browser, web_ui, form, stopped_at, headline, exit_code
):
    pressed_start(browser, web_ui, **form)
    if stopped_at is not None:
        browser.wait_for(f"document.body?.innerText.includes('{stopped_at}')")
        browser.tell("document.querySelector('button.stop').click()")
    browser.wait_for(f"{STATE}.startsWith('{headline}')")
    shown = " ".join(browser.tell(STATE).split())
    web_ui.wait(lambda data: not data["is_busy"])
    ending = web_ui.newest_run().events[-1]

    assert exit_code == ending.detail["exit_code"]
    assert f"The run ended early: {ending.detail['reason']} (exit code {exit_code})." in shown


def test_who_watches_in_a_browser_is_told_why_a_target_was_refused(browser, web_ui):
    pressed_start(browser, web_ui, target="closed", profile="short")
    browser.wait_for(f"{STATE}.startsWith('Refused')")

    assert browser.tell(STATE).startswith("Refused: closed, profile short")
    assert "no WebSocket there" in browser.tell(STATE)


def test_a_locust_that_answers_no_more_is_told_with_the_time(browser, web_ui):
    browser.show(f"{web_ui.url}/capacity/")
    browser.tell("window.fetch = () => Promise.reject(new Error('gone'))")
    told = "document.getElementById('silence')"
    browser.wait_for(f"{told}.checkVisibility()")

    assert re.search(r"has not answered since .*\d:\d\d:\d\d", browser.tell(f"{told}.textContent"))


def test_who_is_logged_in_no_longer_is_taken_to_the_login(browser, web_ui):
    browser.show(f"{web_ui.url}/capacity/")
    browser.tell("window.before = true; window.fetch = async () => ({ok: true, redirected: true})")
    browser.wait_for("window.before === undefined && document.querySelector('[data-part]')")

    assert "/capacity/" in browser.tell("location.pathname")


@pytest.mark.skipif("CAPACITY_AXE" not in os.environ, reason="CAPACITY_AXE names no axe.min.js")
def test_axe_finds_nothing_serious_on_the_page(browser, web_ui):
    axe = Path(os.environ["CAPACITY_AXE"]).read_text("utf-8")
    pressed_start(browser, web_ui, target="hurried", profile="careful")
    browser.wait_for(f"{STATE}.startsWith('Ended early')")
    web_ui.wait(lambda data: not data["is_busy"])
    web_ui.post("/capacity/check", {"capacity_target": "here", "capacity_profile": "pairs"})
    for width, theme in product((390, 1280), ("light", "dark")):
        browser.show(f"{web_ui.url}/capacity/", width=width, theme=theme)

        assert [] == browser.serious(axe), f"{width} px, {theme}"


def test_under_another_base_path_every_address_is_right(start_locust):
    ui = start_locust("--web-base-path", "/lt")
    page = ui.get("/capacity/").text
    addresses = re.findall(r'(?:href|src|action)="([^"]+)"', page)

    assert addresses
    assert all(address.startswith("/lt/capacity/") for address in addresses)
    assert 200 == ui.get("/capacity/live.js").status_code
    assert 303 == start(ui, target="here", profile="short").status_code
    assert ui.wait(lambda data: data["is_busy"])
    ui.post("/capacity/stop")
    ui.wait(lambda data: not data["is_busy"])


def test_with_a_login_nothing_is_shown_or_done_before_it(start_locust, tmp_path, root):
    (tmp_path / "login.py").write_text(LOGIN)
    ui = start_locust("--web-login", "-f", f"{root / 'locustfiles'},{tmp_path / 'login.py'}")
    for route in ROUTES:
        answer = ui.get(f"/capacity{route}")
        assert (302, True) == (answer.status_code, "/login" in answer.headers["Location"])
    for action in ("start", "check", "stop", "stop-after-step"):
        answer = ui.post(f"/capacity/{action}", {"capacity_target": "here"})
        assert (302, True) == (answer.status_code, "/login" in answer.headers["Location"])

    assert not (ui.folder / "reports").exists()
