"""What a client sent, as templates."""

import pytest

from capacity.workload.drafting.asking import (
    ask_by_parts,
    ask_for,
    id_path,
    needed,
    with_id,
    without_secrets,
)


def test_the_id_keeps_its_type():
    assert {"id": "{id:int}", "a": [1]} == with_id({"id": 7, "a": [1]})
    assert {"req_id": "{id:str}"} == with_id({"req_id": "7"})
    assert id_path({"params": {"id": 7}}) is None


def test_a_list_of_names_becomes_the_list_of_channels():
    ask = ask_for({"id": 1, "params": ["A", "B"]}, ["A", "B"])

    assert ({"id": "{id:int}", "params": "{channels:list}"}, None) == (ask.send, ask.request)


def test_a_name_among_other_entries_of_a_list_becomes_the_channel():
    frame = {"id": 1, "method": "depth_subscribe", "params": ["ETH_BTC", 100, "0", True]}

    assert ["{channel}", 100, "0", True] == ask_for(frame, ["ETH_BTC"]).send["params"]


def test_one_name_becomes_the_channel():
    assert {"sub": "{channel}"} == ask_for({"sub": "A"}, ["A"]).send
    assert ask_for({"sub": "C"}, ["A"]) is None


def test_an_object_in_a_list_becomes_the_request_of_the_channel():
    frame = {"args": [{"ch": "books", "id": "A"}, {"ch": "books", "id": "B"}]}
    ask = ask_by_parts(frame, ("books", "B"), "B")

    assert ({"args": "{channels:list}"}, {"ch": "books", "id": "{symbol}"}) == (
        ask.send,
        ask.request,
    )


def test_an_object_becomes_the_channel_with_one_symbol():
    frame = {"method": "subscribe", "params": {"channel": "book", "symbol": ["A", "B"]}}
    ask = ask_by_parts(frame, ("book", "A"), "A")

    assert {"method": "subscribe", "params": "{channel}"} == ask.send
    assert {"channel": "book", "symbol": ["{symbol}"]} == ask.request
    assert ask_by_parts(frame, ("book", "C"), "C") is None


@pytest.mark.parametrize(
    ("frame", "template", "needs"),
    [
        ({"key": "abcdef123"}, {"key": "{key}"}, ["key"]),
        ({"apiKey": "abcdef123"}, {"apiKey": "{api_key}"}, ["api_key"]),
        ({"x": "aB3" * 9}, {"x": "{x}"}, ["x"]),
        ({"timestamp": 1_795_770_000_000}, {"timestamp": "{now_ms}"}, []),
        ({"timestamp": "1795770000"}, {"timestamp": "{now_s:str}"}, []),
        ({"op": "subscribe"}, {"op": "subscribe"}, []),
    ],
)
def test_secrets_and_times_become_names(frame, template, needs):
    found = {}

    assert (template, needs) == (without_secrets(frame, found), list(found))


def test_names_that_mean_something_are_not_taken():
    assert ["id_value", "value_2fa"] == [needed("id", "x", {}), needed("2fa", "x", {})]
