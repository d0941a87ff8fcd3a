"""Events of runs as they are recorded, and what is said of them."""

import pytest

from capacity.domain.event_words import event_in_words

OVER = {"number": 1, "habit": "full_jitter", "cut": 293, "failed": 1, "aborted": None}


@pytest.mark.parametrize(
    ("kind", "detail", "words"),
    [
        (
            "storm",
            {"number": 0, "habit": "immediate", "connections": 587, "share_ratio": 0.5},
            "storm drill 1: 50 % of 587 connections are cut and come back, immediate",
        ),
        (
            "storm_over",
            {**OVER, "restored": 293, "last_s": 2.107},
            "storm drill 2: 293 of 293 came back, the last after 2.1 s; 1 attempt failed",
        ),
        (
            "storm_over",
            {**OVER, "restored": 0, "last_s": None, "failed": 3, "aborted": "the test is over"},
            "storm drill 2: 0 of 293 came back; 3 attempts failed; aborted: the test is over",
        ),
        (
            "trial",
            {"connections": 3970, "plateau_s": 3.0, "failure": None, "held": 3970},
            "trial of 3,970 connections: held for 3 s",
        ),
        (
            "trial",
            {
                "connections": 9,
                "plateau_s": 60.0,
                "failure": "lost",
                "held": 8,
                "reason": "1 was lost",
            },
            "trial of 9 connections: failed; 1 was lost",
        ),
        (
            "limits_unread",
            {"since_s": 20.35},
            "the target's limits could not be read again at the end; they are those of 20 s before",
        ),
        (
            "newcomers",
            {"tried": 10, "refused": 0, "reason": None, "client": None},
            "with the load off, 0 of 10 newcomers were refused",
        ),
        (
            "newcomers",
            {"tried": 6, "refused": 6, "reason": "handshake_opening_refused", "client": 13},
            "with the load off, 6 of 6 logins of client 14 were refused (handshake_opening_refused)",
        ),
        (
            "newcomers",
            {"tried": 0, "refused": 0, "reason": "connect_timeout", "client": None},
            "with the load off, it could not be told whether newcomers are refused (connect_timeout)",
        ),
        (
            "newcomers",
            {"tried": 10, "refused": 4, "reason": "r", "client": 13},
            "with the load off, 4 of 10 logins of client 14 and of others were refused (r)",
        ),
        (
            "refused_login",
            {"client": 7, "row": "row 8 of accounts.csv"},
            "the target refused the login of client 8, row 8 of accounts.csv",
        ),
        (
            "refused_login",
            {"client": 7, "row": None},
            "the target refused the login of client 8",
        ),
        ("storm_skipped", {"reason": "nothing was held"}, "no storm drill: nothing was held"),
        ("target_gone", {"sample_at": 1.0}, "the target's process ended, as the agent sees it"),
        (
            "target_said",
            {"text": "opening refused: Params Error"},
            "the target said: opening refused: Params Error",
        ),
        (
            "unmatched_frame",
            {"reason": "no rule for: {}"},
            "of a message of the target: no rule for: {}",
        ),
        ("storm", {}, None),
        ("limit_changed", {"limit": {"resource": "of another version"}}, None),
        ("phase", {"index": 1}, None),
        ("agent_back", {"samples": 3}, None),
    ],
)
def test_an_event_that_needs_a_sentence_has_one(kind, detail, words):
    assert words == event_in_words(kind, detail)
