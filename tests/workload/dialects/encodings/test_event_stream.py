"""Events as objects."""

import orjson
import pytest

from capacity.workload.dialects.encodings.event_stream import parse


@pytest.mark.parametrize(
    ("lines", "event"),
    [
        (b'data: {"seq":1}', {"event": "message", "data": {"seq": 1}}),
        (b"event: tick\nid: 7\ndata:x", {"event": "tick", "id": "7", "data": "x"}),
        (b"data: a\ndata:  b", {"event": "message", "data": "a\n b"}),
        (b'data: {"a":\ndata: 1}', {"event": "message", "data": {"a": 1}}),
        (b": comment\ndata", {"event": "message", "data": ""}),
        (b"event:\nretry: 30\nother: x\ndata: 1", {"event": "message", "retry": "30", "data": 1}),
    ],
)
def test_an_event_is_read_by_its_lines(lines, event):
    assert parse(memoryview(lines)) == event


@pytest.mark.parametrize("lines", [b"", b"id: 7", b": hi", b'{"seq":1}'])
def test_lines_without_data_are_no_event(lines):
    with pytest.raises(orjson.JSONDecodeError):
        parse(lines)
