"""MQTT packets as objects."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.dialects.encodings import mqtt


@pytest.mark.parametrize(
    ("tree", "packet"),
    [
        ({"type": "CONNECT"}, b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0"),
        (
            {"type": "CONNECT", "client": "c", "user": "u", "password": "p", "keep_alive_s": 60},
            b"\x10\x13\0\x04MQTT\x04\xc2\0\x3c\0\x01c\0\x01u\0\x01p",
        ),
        (
            {"type": "SUBSCRIBE", "id": 7, "topics": ["a", "b"]},
            b"\x82\x0a\0\x07\0\x01a\0\0\x01b\0",
        ),
        ({"type": "UNSUBSCRIBE", "id": 7, "topics": ["a"]}, b"\xa2\x05\0\x07\0\x01a"),
        ({"type": "PUBACK", "id": 258}, b"\x40\x02\x01\x02"),
        ({"type": "PINGREQ"}, b"\xc0\0"),
    ],
)
def test_packets_are_written_as_the_specification_has_them(tree, packet):
    assert packet == mqtt.written(tree)


@pytest.mark.parametrize(
    ("packet", "tree"),
    [
        (b"\x20\x02\0\x05", {"type": "CONNACK", "code": 5}),
        (b"\x90\x04\0\x07\0\x80", {"type": "SUBACK", "id": 7, "codes": [0, 128]}),
        (b"\xb0\x02\0\x07", {"type": "UNSUBACK", "id": 7}),
        (b"\xd0\0", {"type": "PINGRESP"}),
        (b'\x30\x0a\0\x01a{"x":1}', {"type": "PUBLISH", "topic": "a", "body": {"x": 1}}),
        (b"\x32\x07\0\x01a\0\x09hi", {"type": "PUBLISH", "topic": "a", "id": 9, "body": "hi"}),
    ],
)
def test_packets_are_read(packet, tree):
    assert tree == mqtt.parse(packet)


def test_a_frame_may_hold_several_packets_and_the_beginning_of_one():
    assert [b"\xd0\0", b"\xb0\x02\0\x07", b"\x30\x09"] == mqtt.divide(
        b"\xd0\0\xb0\x02\0\x07\x30\x09"
    )
    assert [b""] == mqtt.divide(b"")


@pytest.mark.parametrize("packet", [b"", b"\0\0", b"\xf0\0", b"\x30\x09", b"\xd0\0x"])
def test_what_is_no_packet_is_told(packet):
    with pytest.raises(orjson.JSONDecodeError, match="no MQTT packet"):
        mqtt.parse(packet)


@given(st.binary(max_size=40))
def test_bytes_are_parts_of_what_came_and_each_is_a_packet_or_refused(payload):
    parts = mqtt.divide(payload)
    for part in parts:
        try:
            assert isinstance(mqtt.parse(part), dict)
        except orjson.JSONDecodeError:
            continue

    assert b"".join(parts) == payload
