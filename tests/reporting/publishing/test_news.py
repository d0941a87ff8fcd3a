import json
import re

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat

from capacity.reporting.publishing.news import event, news_of, text


def news(about, **changes):
    told = {"notices": ("Regression: capacity 590 connections",), "is_regression": True}
    return news_of(about.plan.run, "feed <1>", 1_795_000_000.0, about.plan, **(told | changes))


def test_the_first_line_says_what_matters_and_the_worst_comes_next(about):
    lines = text(news(about)).splitlines()

    assert lines[0].startswith("feed <1>: Capacity: ")
    assert lines[1] == "Regression: capacity 590 connections"
    assert lines[-1] == f"Run {about.plan.run}"
    assert len(lines) <= 14


def test_the_event_is_one_by_the_libraries_of_cloudevents(about):
    headers, body = event(news(about))
    found = from_binary_event(HTTPMessage(headers=headers, body=body), JSONFormat())

    assert found.get_type() == "capacity.regression"
    assert found.get_source() == "/capacity/feed%20%3C1%3E"
    assert found.get_time().timestamp() == 1_795_000_000.0
    assert found.get_data()["figures"]["safe_capacity_connections"] == 19_208


def test_a_chat_shows_the_text_and_no_markup_of_ours(about):
    document = json.loads(event(news(about))[1])

    assert document["text"].startswith("feed &lt;1&gt;: Capacity: ")
    assert not re.search(r"[<>]", document["text"])


def test_two_events_of_one_run_have_two_ids(about):
    regression, report = (event(news(about, is_regression=each))[0] for each in (True, False))

    assert regression["ce-id"] != report["ce-id"]
    assert report["ce-type"] == "capacity.report"


@pytest.mark.parametrize("is_regression", [True, False])
def test_a_run_that_failed_is_a_failure_with_its_reason(is_regression):
    told = news_of(
        "r", "feed", 1.0, None, failures=["nobody\nanswers"], is_regression=is_regression
    )

    assert told.kind == "capacity.failure"
    assert text(told) == "feed: The run failed\nnobody answers\nRun r"
    assert json.loads(event(told)[1])["figures"] == {}
