"""Where the content of updates is."""

import orjson

from capacity.workload.drafting.contents import describe_updates
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
