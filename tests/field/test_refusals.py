"""Why the target said no reaches the user, each with a remedy of its own."""

import pytest

from capacity.domain.answers.finding import Status


@pytest.mark.parametrize(
    ("code", "reason", "remedy"),
    [
        (4403, "subscription plan allows 0 streams", "Use credentials"),
        (1013, "try again later; node full", "Correct dialect, channels"),
    ],
)
def test_code_and_reason_of_the_close_frame_are_shown(feed, code, reason, remedy):
    started = feed(
        "unwilling", code, reason, subscribe={"send": "{channel}", "confirm": "first_data"}
    )
    (finding,) = started.findings()
    counters = started.load(lambda counters: counters.failures)

    assert f"closed it with {code} {reason.replace(';', ',')!r}" in finding.statement
    assert finding.remedy.startswith(remedy)
    assert [f"closed with {code} {reason.replace(';', ',')!r}"] == counters.said


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_but_named_with_where_it_leads(feed, status):
    started = feed("redirected", status)
    (finding,) = started.findings()
    counters = started.load(lambda counters: counters.failures)

    assert Status.FAILURE is finding.status
    assert f"handshake_rejected_{status}: {status} Moved, Location: /ws/" in finding.statement
    assert finding.remedy.startswith("Correct ws.url in the dialect")
    assert {f"handshake_rejected_{status}": 2} == counters.failures


def test_a_limit_on_one_address_is_named_with_how_long_to_wait(feed):
    (finding,) = feed("busy").findings()

    assert "429 Too Many Requests, Retry-After: 30" in finding.statement
    assert '{"error": "see the headers"}' in finding.statement
    assert "source_addresses" in finding.remedy


def test_a_login_that_is_answered_by_a_close_frame_is_told_with_its_own_remedy(feed):
    step = {"send": {"op": "login"}, "answer": {"where": {"event": "login"}}}
    started = feed(
        "unwilling",
        4401,
        "token expired",
        opening=[step],
        subscribe={"send": "{channel}", "confirm": "first_data"},
    )
    (finding,) = started.findings()
    counters = started.load(lambda counters: counters.failures)

    assert "a step of opening in dialect field, as a login, was not answered" in finding.statement
    assert "closed it with 4401 'token expired'" in finding.statement
    assert finding.remedy.startswith("Correct the values that the target file gives for it")
    assert {"handshake_closed_4401": 2} == counters.failures


@pytest.mark.parametrize(
    ("behaviour", "arguments", "ws", "said", "remedy"),
    [
        (
            "quiet",
            (),
            {"max_message_bytes": 20},
            "a message is larger than ws.max_message_bytes (20 bytes)",
            "Raise ws.max_message_bytes",
        ),
        ("aging", (0.3, 1001), {}, "closed it with 1001 'max connection age'", "Look into the"),
    ],
)
def test_a_connection_that_ends_while_it_is_listened_to_says_how(
    feed, behaviour, arguments, ws, said, remedy
):
    url = {"url": "{scheme}://{host}:{port}/ws"}
    finding, *_rest = feed(behaviour, *arguments, ws={**url, **ws}).findings()

    assert said in finding.statement
    assert finding.remedy.startswith(remedy)


def test_a_ban_says_to_wait_and_not_to_correct_the_address(feed):
    (finding,) = feed("banned").findings()

    assert "418" in finding.statement
    assert finding.remedy.startswith("Wait as long as the target says")
