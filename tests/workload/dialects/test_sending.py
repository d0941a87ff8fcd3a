"""Requests and steps as frames, and which channels an answer to a request accepts."""

import json

import pytest

from capacity.workload.dialects.answers import Ack, AckError
from capacity.workload.dialects.channel_requests import Channel, ChannelRequests
from capacity.workload.dialects.sending import (
    Heartbeat,
    Step,
    Subscribe,
    compiled_request,
    compiled_step,
    sent,
)
from capacity.workload.dialects.values import FrameValues

ERROR = AckError(where={"error": {"exists": True}})


def request(send, accepted=None, batch=100, **channels):
    ack = Ack(where={"id": "{id:int}"}, accepted=accepted, error=ERROR)
    section = Subscribe(send=send, ack=ack, batch=batch)
    made = {name: Channel(**given) for name, given in channels.items()}
    return compiled_request(
        section, batch, lambda tree: json.dumps(tree).encode(), ChannelRequests(made)
    )


def test_a_request_names_its_channels_as_the_target_calls_them():
    asked = request(
        {"id": "{id:int}", "args": "{channels:list}"},
        books={"wire": "books:{symbol}", "request": {"instId": "{symbol}"}},
    )

    assert {"id": 3, "args": [{"instId": "A"}, {"instId": "B"}]} == json.loads(
        asked.frame(FrameValues({"id": 3}, asked=asked.about(("books:A", "books:B"))))
    )


def test_a_key_whose_part_the_channel_has_not_is_left_out():
    asked = request(
        {"to": "{channel.name}", "auth": "{channel.auth}"},
        open={"wire": "open", "request": {"name": "o"}},
        own={"wire": "own", "request": {"name": "p", "auth": {"of": "{id:int}"}}},
    )

    def sent_for(channel):
        return json.loads(asked.frame(FrameValues({"id": 3}, asked=asked.about((channel,)))))

    assert sent_for("open") == {"to": "o"}
    assert sent_for("own") == {"to": "p", "auth": {"of": 3}}


def test_what_a_confirmation_handed_out_ends_the_subscription():
    asked = request({"number": "{alias}"})
    about = asked.about(("b",), {7: "a", 9: "b"})

    assert json.loads(asked.frame(FrameValues({}, asked=about))) == {"number": 9}


@pytest.mark.parametrize("answer", [{}, {"n": None}, {"n": True}, {"n": [1]}])
def test_a_confirmation_without_the_name_that_it_is_to_hand_out_is_a_refusal(answer):
    asked = compiled_request(
        Subscribe(send="{channel}", ack=Ack(where={}, alias="n")), 1, bytes, ChannelRequests({})
    )

    told = "answered without the name that updates will carry"
    assert asked.outcome(answer, ("a",)) == ([], told)
    assert asked.outcome({"n": 0}, ("a",)) == (["a"], None)


@pytest.mark.parametrize(
    ("send", "batch"), [({"c": "{channels:list}"}, 7), ({"c": "{channel}"}, 1)]
)
def test_a_request_that_names_one_channel_is_sent_for_each(send, batch):
    assert batch == request(send, batch=7).batch


@pytest.mark.parametrize(
    ("answer", "accepted", "why"),
    [
        ({"ok": ["a"]}, ["a"], None),
        ({"ok": ["a", "b", "c", 7, None]}, ["a", "b"], None),
        ({"ok": "a"}, [], "answered without the list of accepted channels"),
        ({"error": 1}, [], "refused"),
    ],
)
def test_who_is_not_in_the_list_of_accepted_channels_was_refused(answer, accepted, why):
    asked = request({"c": "{channels:list}"}, accepted="ok")

    assert (accepted, why) == asked.outcome(answer, ("a", "b"))


def test_without_such_a_list_an_answer_accepts_them_all():
    assert (["a", "b"], None) == request({"c": "{channels:list}"}).outcome({}, ("a", "b"))


def test_a_step_may_wait_for_a_text_and_send_nothing():
    step = compiled_step(Step(answer_text="hello\n"), bytes, lambda text: text.rstrip(b"\n"))

    assert (None, b"hello", None) == (step.frame, step.text, step.ack)


def test_a_text_is_sent_as_it_stands_and_is_no_template():
    assert b"{id}" == sent(Heartbeat(every_s=1.0, send_text="{id}"), bytes)({})
