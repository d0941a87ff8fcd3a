"""Runs that are begun and stopped on Locust's page."""

import pytest

pytestmark = pytest.mark.long
FORM = {"user_count": "1", "spawn_rate": "1", "host": "x"}


def swarm(ui, **form):
    """Start a run by Locust's own form."""
    answer = ui.post("/swarm", {**FORM, **form}).json()
    assert answer["success"], answer
    return answer


def requests_counted(ui):
    """Return how many requests Locust's table has, by name of its rows."""
    rows = ui.get("/stats/requests").json()["stats"]
    return {row["name"]: row["num_requests"] for row in rows}


def ending_of(record):
    event = record.events[-1]
    return event.kind, event.detail["exit_code"], event.detail["reason"]


@pytest.mark.parametrize("path", ["/stop", "/capacity/stop"])
def test_who_presses_stop_has_stopped_the_run_and_lost_no_worker(web_ui, path):
    swarm(web_ui, capacity_profile="long")
    web_ui.wait(lambda data: "step 2 of 3, plateau" in data["status"])
    web_ui.post(path)
    after = web_ui.wait(lambda data: not data["is_busy"])
    record = web_ui.newest_run()

    assert ("aborted", 130, "the run was stopped before the end of its profile") == ending_of(
        record
    )
    assert not {"worker_lost", "worker_joined"} & {event.kind for event in record.events}
    assert after["status"].startswith(
        "The run ended early: the run was stopped before the end of its profile (exit code 130)."
    )
    assert 130 == after["exit_code"]


def test_a_run_can_be_stopped_while_it_is_only_looked_at(web_ui):
    swarm(web_ui, capacity_profile="long")
    web_ui.wait(lambda data: data["is_busy"])
    web_ui.post("/stop")
    after = web_ui.wait(lambda data: not data["is_busy"])

    assert "the run was stopped before the end of its profile" in after["status"]


def test_a_run_that_begins_right_after_another_has_its_workers_back(web_ui):
    for _ in range(2):
        swarm(web_ui, capacity_profile="long")
        web_ui.wait(lambda data: "plateau: 0 connections" in data["status"])
        web_ui.post("/stop")
        web_ui.wait(lambda data: not data["is_busy"])

        assert 130 == ending_of(web_ui.newest_run())[1]


def test_a_step_that_is_under_way_is_measured_before_the_run_ends_at_the_next_one(web_ui):
    swarm(web_ui, capacity_profile="pairs")
    web_ui.wait(lambda data: "step 2 of 3, plateau" in data["status"])
    web_ui.post("/capacity/stop-after-step")
    after = web_ui.wait(lambda data: not data["is_busy"])
    record = web_ui.newest_run()

    assert "the run was stopped when step 2 was over, as asked for" in after["status"]
    assert not after["is_bad"]
    assert "<h2>Stopped: here, profile pairs</h2>" in web_ui.get("/capacity/").text
    assert ("aborted", 130) == ending_of(record)[:2]
    assert [None, None] == [step.cut_off for step in record.steps]
    assert record.steps[1].plateau_ended_at - record.steps[1].plateau_started_at > 2.5


def test_locust_is_told_the_host_of_the_target_that_is_loaded(web_ui):
    answer = swarm(web_ui, capacity_target="closed", host="http://127.0.0.1:9")
    web_ui.wait(lambda data: "No run:" in data["status"])

    assert "http://127.0.0.1:1" == answer["host"]


def test_a_target_that_does_not_answer_is_told_on_the_page(web_ui):
    answer = swarm(web_ui, capacity_target="closed")
    after = web_ui.wait(lambda data: "No run:" in data["status"])

    assert answer["success"] is True
    assert "no WebSocket there" in after["status"]
    assert not after["is_busy"]


def test_no_table_shows_anything_of_the_run_before_a_refused_one(web_ui):
    swarm(web_ui, capacity_target="here", capacity_profile="short")
    whole = web_ui.wait(lambda data: not data["is_busy"])
    before = requests_counted(web_ui)
    swarm(web_ui, capacity_target="closed")
    refused = web_ui.wait(lambda data: "No run:" in data["status"])

    assert whole["rows"]
    assert not refused["rows"]
    assert before.pop("Aggregated") > 10
    assert before
    # Locust keeps its answers for two seconds.
    web_ui.wait(lambda _data: requests_counted(web_ui) == {"Aggregated": 0})
