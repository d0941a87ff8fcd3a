"""What all readers of an answer over HTTP have in common."""

import pytest

from capacity.loadgen.wire.streams.event_stream import EventStreamReader
from capacity.loadgen.wire.streams.long_poll import LongPollReader

READERS = [EventStreamReader(100, "7"), LongPollReader(100, b"GET / HTTP/1.1\r\n", {}, "7")]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: type(reader).__name__)
def test_nothing_is_sent_on_a_one_way_connection_and_it_goes_on_where_it_was(reader):
    assert (b"", b"", b"") == (reader.framed(b"x", is_binary=False), reader.ping, reader.goodbye)
    assert ("7", None, None, 0) == (reader.cursor, reader.end, reader.closing, reader.held_bytes)
    assert 0 == reader.pongs
