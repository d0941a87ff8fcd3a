import json
from itertools import pairwise

import pytest
import requests

DEPTH = "btcusdt@depth@100ms"


@pytest.fixture(name="client")
def fixture_client(exchange):
    return exchange(updates_per_s=50.0, instruments=1, takes_faults=True)


def say(connection, told, request):
    connection.send(request if isinstance(request, str) else json.dumps(request))
    while "data" in (message := told(connection, 1)[0]) or "e" in message or "A" in message:
        pass
    return message


def test_the_changes_go_on_from_a_snapshot_over_rest(client, get, open_streams, told):
    connection = open_streams(client, f"/ws/{DEPTH}")
    events = told(connection, 1)
    snapshot = get(client, "depth", symbol="BTCUSDT", limit=1000).json()
    while events[-1]["u"] <= snapshot["lastUpdateId"] or len(events) < 5:
        events += told(connection, 1)
    fresh = [each for each in events if each["u"] > snapshot["lastUpdateId"]]

    assert fresh[0]["U"] <= snapshot["lastUpdateId"] + 1
    assert all(after["U"] == before["u"] + 1 for before, after in pairwise(events))


def test_streams_are_followed_listed_and_left(client, open_streams, told):
    connection = open_streams(client, "/stream?streams=btcusdt@trade")
    (first,) = told(connection, 1)
    both = say(connection, told, {"method": "SUBSCRIBE", "params": ["no@such"], "id": "a-1"})
    listed = say(connection, told, {"method": "LIST_SUBSCRIPTIONS", "id": 2})
    say(connection, told, {"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 3})

    assert ("btcusdt@trade", "trade") == (first["stream"], first["data"]["e"])
    assert {"result": None, "id": "a-1"} == both
    assert ["btcusdt@trade", "no@such"] == listed["result"]
    assert 0 == client.status()["subscriptions"]


def test_the_form_of_updates_can_be_changed(client, open_streams, told):
    connection = open_streams(client, "/ws")
    assert not say(connection, told, {"method": "GET_PROPERTY", "params": ["combined"], "id": 1})[
        "result"
    ]
    say(connection, told, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 2})
    say(connection, told, {"method": "SUBSCRIBE", "params": [DEPTH], "id": 3})

    assert DEPTH == told(connection, 1)[0]["stream"]


@pytest.mark.parametrize("path", [f"/ws/{DEPTH}", f"/stream?streams={DEPTH}"])
def test_what_is_skipped_is_one_gap_of_the_numbers(client, open_streams, told, path):
    connection = open_streams(client, path)
    events = told(connection, 1)
    fault = {"kind": "skip", "updates": 2, "channels": "*@depth*"}
    requests.post(f"{client.http}/faults", json=fault, timeout=20).raise_for_status()
    events = [event.get("data", event) for event in events + told(connection, 8)]

    assert 1 == sum(after["U"] != before["u"] + 1 for before, after in pairwise(events))
    assert 2 == client.status()["withheld"]


def test_an_update_left_out_is_left_out_for_both_venues(client, open_streams, told, ask):
    connection, other = open_streams(client, f"/ws/{DEPTH}"), client.connect()
    ask(other, "public/subscribe", channels=["book.BTC-PERPETUAL.raw"])
    told(connection, 1)
    answer = requests.post(f"{client.http}/faults", json={"kind": "skip"}, timeout=20).json()

    assert 2 == answer["connections"]
    client.status_once(lambda status: status["withheld"] == 2)
