"""What was sent until channels were followed."""

import orjson

from capacity.workload.drafting.draft import drafted
from capacity.workload.drafting.recorded_session import Frame, Session


def spoken(*frames):
    return Session(
        frames=tuple(
            Frame(payload=orjson.dumps(told), is_ours=is_ours, at_s=float(n))
            for n, (is_ours, told) in enumerate(frames)
        )
    )


UPDATES = tuple((False, {"ch": "px.A", "p": n * n}) for n in range(4))


def test_a_login_is_a_step_that_waits_for_its_answer_and_its_key_is_needed():
    draft = drafted(
        spoken(
            (True, {"op": "login", "key": "secret-12345"}),
            (False, {"event": "login", "code": "0"}),
            (True, {"op": "subscribe", "args": ["px.A"]}),
            (False, {"event": "subscribe"}),
            *UPDATES,
        ),
        "x",
    )

    assert [
        {"send": {"op": "login", "key": "{key}"}, "answer": {"where": {"event": "login"}}}
    ] == draft.sections["opening"]
    assert ["key"] == draft.sections["needs"]
    assert {"event": "subscribe"} == draft.sections["subscribe"]["ack"]["where"]


def test_a_subscription_without_an_answer_is_confirmed_by_its_first_update():
    draft = drafted(spoken((True, {"sub": "px.A"}), *UPDATES), "x")

    assert {"send": {"sub": "{channel}"}, "confirm": "first_data"} == draft.sections["subscribe"]
    assert "no answer" in draft.doubts["subscribe"]


def test_a_request_that_names_nothing_of_the_updates_is_doubted():
    draft = drafted(spoken((True, {"go": "on"}), *UPDATES), "x")

    assert "subscribe" not in draft.sections
    assert "write it" in draft.doubts["subscribe"]


def test_an_error_of_which_none_was_recorded_is_doubted():
    asked, answer = {"op": "sub", "ch": "px.A"}, {"op": "subscribed", "ch": "px.A"}
    refused = (
        (True, {"op": "sub", "ch": "no"}),
        (False, {"op": "error", "msg": "no such channel"}),
    )
    guessed = drafted(spoken((True, asked), (False, answer), *UPDATES), "x")
    known = drafted(spoken((True, asked), (False, answer), *refused, *UPDATES), "x")

    assert "no refusal was recorded" in guessed.doubts["subscribe"]
    assert "subscribe" not in known.doubts
    assert {"op": "error"} == known.sections["subscribe"]["ack"]["error"]["where"]
