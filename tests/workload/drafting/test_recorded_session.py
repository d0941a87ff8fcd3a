"""Recordings: ours, HAR files, and frames line by line."""

import base64
import json

import pytest

from capacity.domain.errors import ConfigError
from capacity.workload.drafting.recorded_session import Frame, read_session, written

FRAMES = (
    Frame(payload=b'{"op":"subscribe"}', is_ours=True, at_s=1.5),
    Frame(payload="⇒".encode(), at_s=2.5),
    Frame(payload=b"\xff\x00", at_s=3.5),
)


def test_what_is_written_is_read_again():
    text = "\n".join(written(FRAMES, "ws://h/p"))
    read = read_session(text, "s")

    assert (FRAMES, "ws://h/p") == (read.frames, read.url)


def test_plain_lines_are_frames_of_the_server_but_those_that_are_marked():
    read = read_session('{"a":1}\n> {"b":2}\n\n< {"c":3}\n', "s")

    assert [(b'{"a":1}', False), (b'{"b":2}', True), (b'{"c":3}', False)] == [
        (frame.payload, frame.is_ours) for frame in read.frames
    ]


def har(*sockets):
    return json.dumps(
        {
            "log": {
                "entries": [
                    {
                        "request": {
                            "url": f"wss://h/{n}",
                            "headers": [{"name": "A", "value": "b"}],
                        },
                        "_webSocketMessages": messages,
                    }
                    for n, messages in enumerate(sockets)
                ]
            }
        }
    )


def test_of_a_har_file_the_socket_with_most_messages_is_taken():
    one = {"type": "send", "opcode": 1, "time": 1.0, "data": "x"}
    two = {"type": "receive", "opcode": 2, "time": 2.0, "data": base64.b64encode(b"\0").decode()}
    read = read_session(har([one], [one, two]), "s")

    assert ("wss://h/1", 1, {"A": "b"}) == (read.url, read.left_out, dict(read.headers))
    assert [(b"x", True, 1.0), (b"\0", False, 2.0)] == [
        (frame.payload, frame.is_ours, frame.at_s) for frame in read.frames
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "s: nothing is recorded in it"),
        ('{"session": 2}', r"s:1: session: must be 1 \(got 2\)"),
        ('{"session": 1}\n[]', "s:2: from: must be"),
        ('{"session": 1}\n{"from": "server"}', "s:2: text: is required"),
        ('{"session": 1}\n{"from": "server", "base64": "%"}', "s:2: base64: is none"),
        (har(), "s: log.entries: hold no WebSocket messages"),
        (har([{"type": "send"}]), r"s: _webSocketMessages\[0\]: data: is required"),
    ],
)
def test_what_is_no_recording_says_where(text, wrong):
    with pytest.raises(ConfigError, match=f"^{wrong}"):
        read_session(text, "s")
