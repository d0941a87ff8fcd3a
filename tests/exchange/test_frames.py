"""Read back by an implementation of RFC 6455 that is not ours."""

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, TextMessage

from capacity.exchange.frames import close_frame, text_frame


def events_in(data):
    connection = Connection(ConnectionType.CLIENT)
    connection.receive_data(data)
    return list(connection.events())


@pytest.mark.parametrize("size_bytes", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_text_frame_carries_its_payload_whole(size_bytes):
    payload = b"x" * size_bytes

    assert events_in(text_frame(payload)) == [TextMessage(data=payload.decode())]


def test_frames_written_together_are_read_apart():
    read = events_in(text_frame(b"one") + text_frame(b"two"))

    assert [event.data for event in read] == ["one", "two"]


def test_close_frame_carries_code_and_reason():
    assert events_in(close_frame(4000, "heartbeat close")) == [
        CloseConnection(code=4000, reason="heartbeat close")
    ]
