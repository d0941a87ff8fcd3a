"""Where the content of updates is."""

import orjson

from capacity.workload.drafting.contents import describe_updates, number_others
from capacity.workload.drafting.heard import parsed
from capacity.workload.drafting.recorded_session import Frame, Session
from capacity.workload.drafting.sections import Draft

NOW_MS = 1_795_770_000_000


def described(*frames):
    heard = parsed(Session(frames=tuple(Frame(payload=orjson.dumps(frame)) for frame in frames)))
    draft = Draft(sections={"channels": {"a": {"wire": "{symbol}"}}})
    describe_updates(heard, draft)
    return draft.sections


def test_content_in_the_frame_itself():
    found = described(*({"seq": n, "ts": NOW_MS + n} for n in (1, 2, 3)))

    assert "items" not in found["data"]
    assert {"path": "ts", "unit": "ms"} == found["time"]
    assert [{"rule": "plus_one", "seq": "seq"}] == found["sequence"]


def test_content_in_a_list_with_the_time_outside_of_it():
    found = described(*({"ts": NOW_MS + n, "data": [{"seq": n}]} for n in (1, 2, 3)))

    assert "data" == found["data"]["items"]
    assert {"path": "$.ts", "unit": "ms"} == found["time"]
    assert [{"rule": "plus_one", "seq": "seq"}] == found["sequence"]


def test_every_update_of_a_list_counts():
    found = described(
        *({"data": [{"ts": NOW_MS, "n": 2 * n}, {"ts": NOW_MS, "n": 2 * n + 1}]} for n in (1, 2, 3))
    )

    assert {"path": "ts", "unit": "ms"} == found["time"]
    assert [{"rule": "plus_one", "seq": "n"}] == found["sequence"]


def test_content_in_a_list_whose_entries_are_known_by_their_place():
    found = described(
        *(
            {"method": "depth", "params": [n == 1, {"ts": NOW_MS + n, "seq": n}, "ETH_BTC"]}
            for n in (1, 2, 3)
        )
    )

    assert "params.1" == found["data"]["items"]
    assert {"path": "ts", "unit": "ms"} == found["time"]
    assert [{"rule": "plus_one", "seq": "seq"}] == found["sequence"]


def with_heartbeats(*numbers, ignore=({"type": "heartbeat"},)):
    """Return the rules where updates of two channels have the other numbers up to 40 in turn."""
    frames = [
        {"type": "heartbeat", "n": n}
        if n in numbers
        else {"type": "update", "s": "AB"[n // 2 % 2], "n": n}
        for n in range(40)
    ]
    heard = parsed(Session(frames=tuple(Frame(payload=orjson.dumps(frame)) for frame in frames)))
    draft = Draft(sections={"channels": {"a": {"wire": "{symbol}"}}, "ignore": list(ignore)})
    describe_updates(heard, draft)
    number_others(heard, draft)
    return draft.sections["sequence"]


OF_CONNECTION = {"rule": "plus_one", "seq": "n", "scope": "connection"}


def test_heartbeats_that_take_numbers_of_the_connection_have_a_rule():
    assert [{"where": {"type": "heartbeat"}, **OF_CONNECTION}, OF_CONNECTION] == with_heartbeats(
        7, 30
    )


def test_others_that_are_not_there_or_are_not_numbered_have_none():
    assert [OF_CONNECTION] == with_heartbeats()
    assert [OF_CONNECTION] == with_heartbeats(7, 30, ignore=())


def test_ids_of_answers_are_no_numbers_of_updates():
    frames = [{"type": "update", "s": "AB"[n % 2], "p": 7} for n in range(4)]
    frames += [{"type": "answer", "id": n} for n in range(1, 6)]
    heard = parsed(Session(frames=tuple(Frame(payload=orjson.dumps(frame)) for frame in frames)))
    draft = Draft(sections={"channels": {"a": {"wire": "{symbol}"}}})
    describe_updates(heard, draft)
    number_others(heard, draft)

    assert "sequence" not in draft.sections
