"""The short path and wsproto must agree on every stream, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from capacity.loadgen.frames import CLOSE_FRAME, FrameError, FrameReader, masked_frame

messages = st.lists(
    st.one_of(
        st.text(max_size=300).map(lambda text: TextMessage(data=text)),
        st.binary(max_size=70_000).map(lambda data: BytesMessage(data=data)),
        st.binary(max_size=100).map(lambda data: Ping(payload=data)),
        st.tuples(st.text(min_size=1, max_size=50), st.text(min_size=1, max_size=50)).map(
            lambda halves: [
                TextMessage(data=halves[0], message_finished=False),
                Ping(payload=b"between"),
                TextMessage(data=halves[1], message_finished=True),
            ]
        ),
    ),
    max_size=8,
)


def sent_by_server(events):
    """Return the bytes a wsproto server sends for *events*, the payloads and the pings in it."""
    server = Connection(ConnectionType.SERVER)
    stream, payloads, pings, partial = b"", [], [], b""
    for event in [part for item in events for part in (item if isinstance(item, list) else [item])]:
        stream += server.send(event)
        if isinstance(event, Ping):
            pings.append(bytes(event.payload))
        else:
            data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
            partial += data
            if event.message_finished:
                payloads.append(partial)
                partial = b""
    return stream, payloads, pings


@given(events=messages, cuts=st.lists(st.integers(1, 5000), max_size=20))
def test_any_stream_cut_anywhere_yields_the_messages_that_were_sent(events, cuts):
    stream, expected, pings = sent_by_server(events)
    reader, replies, received, at = FrameReader(1 << 20), [], [], 0
    for cut in [*cuts, len(stream)]:
        received += reader.feed(stream[at : at + cut], replies)
        at += cut

    assert expected == received
    assert len(pings) == len(replies)


@given(junk=st.binary(max_size=400))
def test_junk_ends_in_messages_or_a_frame_error_never_in_anything_else(junk):
    reader = FrameReader(1024)
    try:
        payloads = reader.feed(junk, [])
    except FrameError:
        return

    assert all(len(payload) <= 1024 for payload in payloads)


def test_a_ping_is_answered_with_its_own_payload():
    replies = []
    FrameReader(1024).feed(b"\x89\x03abc", replies)
    server = Connection(ConnectionType.SERVER)
    server.receive_data(replies[0])

    assert b"abc" == next(server.events()).payload


def test_a_close_is_answered_and_ends_the_reading():
    reader, replies = FrameReader(1024), []
    reader.feed(b"\x88\x02\x03\xe8", replies)

    assert reader.closed
    assert 1 == len(replies)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"\x81\x83abcdefg", "frame_masked"),
        (b"\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00", "message_too_big"),
        (b"\x91\x01a", "frame_invalid"),
        (b"\x80\x01a", "frame_invalid"),
        (b"\x83\x01a", "frame_invalid"),
        (b"\x89\x7e\x00\x80" + b"a" * 128, "frame_invalid"),
    ],
    ids=["masked", "too big", "reserved bit", "continuation first", "opcode", "long control"],
)
def test_a_violation_is_named(stream, reason):
    with pytest.raises(FrameError, match=reason):
        FrameReader(1024).feed(stream, [])


def test_endless_fragments_meet_the_size_limit():
    reader = FrameReader(1000)
    reader.feed(b"\x01\x7e\x01\xf4" + b"a" * 500, [])

    with pytest.raises(FrameError, match="message_too_big"):
        reader.feed(b"\x00\x7e\x02\x58" + b"a" * 600, [])


@given(payload=st.one_of(st.binary(max_size=300), st.just(b"x" * 70_000), st.just(b"y" * 200)))
def test_a_server_unmasks_what_was_masked(payload):
    server = Connection(ConnectionType.SERVER)
    server.receive_data(masked_frame(payload, opcode=0x2))

    assert payload == b"".join(bytes(event.data) for event in server.events())


def test_the_close_frame_says_normal_closure():
    server = Connection(ConnectionType.SERVER)
    server.receive_data(CLOSE_FRAME)
    event = next(server.events())

    assert isinstance(event, CloseConnection)
    assert 1000 == event.code
