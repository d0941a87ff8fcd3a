"""Messages by a schema: a venue's own as its documentation has them, and what no schema allows for."""

import struct

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.settings.locate import shipped
from capacity.workload.dialects.encodings.sbe import parser_of

BINANCE = (shipped("config") / "dialects" / "binance-sbe.xml").read_text("utf-8")
LEVELS = [(6425050, 125), (6425000, 50)]


def text8(text):
    return bytes([len(text)]) + text


def group(size, entries):
    return struct.pack(size, 16, len(entries)) + b"".join(
        struct.pack("<qq", *one) for one in entries
    )


def message(template, block, *rest, more=b""):
    header = struct.pack("<HHHH", len(block) + len(more), template, 1, 0)
    return b"".join((header, block, more, *rest))


def depth(first=157, last=160, levels=LEVELS, symbol=b"BTCUSDT", more=b""):
    block = struct.pack("<qqqbb", 1_795_803_227_860_000, first, last, -2, -8)
    return message(
        10003, block, group("<HH", levels), group("<HH", levels), text8(symbol), more=more
    )


def test_a_message_is_read_past_its_groups_to_its_text():
    body = {"eventTime": 1_795_803_227_860_000, "firstBookUpdateId": 157, "lastBookUpdateId": 160}
    found = body | {"bids": 2, "asks": 2, "symbol": "BTCUSDT"}

    assert {"template": "DepthDiffStreamEvent", "body": found} == parser_of(BINANCE)(depth())


def test_what_a_newer_version_adds_to_a_block_is_passed_over():
    read = parser_of(BINANCE)

    assert read(depth()) == read(depth(more=b"\x07" * 12))


def test_a_group_may_have_sizes_of_its_own():
    trade = struct.pack("<qqqB", 7, 6425050, 125, 1)
    sizes = struct.pack("<HI", len(trade), 3)
    payload = message(10000, struct.pack("<qqbb", 5, 4, -2, -8), sizes, 3 * trade, text8(b"X"))
    found = {"eventTime": 5, "transactTime": 4, "trades": 3, "symbol": "X"}

    assert found == parser_of(BINANCE)(payload)["body"]


def test_answers_in_json_are_read_as_such():
    read = parser_of(BINANCE)

    assert ({"id": 1}, [1]) == (read(b'{"id":1}'), read(memoryview(b"[1]")))


def test_a_message_whose_block_begins_like_json_is_none():
    block = struct.pack("<qq", 5, 9) + bytes(ord("{") - 16)
    payload = message(10001, block, text8(b"X"))

    assert payload[:1] == b"{"
    assert {"eventTime": 5, "bookUpdateId": 9, "symbol": "X"} == parser_of(BINANCE)(payload)["body"]


@pytest.mark.parametrize("end", range(8, len(depth())))
def test_a_message_that_was_cut_is_told(end):
    with pytest.raises(orjson.JSONDecodeError, match="shorter than its schema has it"):
        parser_of(BINANCE)(depth()[:end])


@pytest.mark.parametrize("payload", [message(9, b""), b"\xff" * 8])
def test_a_template_that_the_schema_has_not_is_told(payload):
    with pytest.raises(orjson.JSONDecodeError, match="no message of the schema"):
        parser_of(BINANCE)(payload)


@given(st.binary(max_size=80), st.integers(0, 70), st.binary(max_size=6))
def test_nothing_that_comes_raises_anything_else(noise, place, patch):
    read = parser_of(BINANCE)
    for payload in (noise, depth()[:place] + patch + depth()[place + len(patch) :]):
        try:
            read(payload)
        except orjson.JSONDecodeError:
            continue
    assert read(depth()) == parser_of(BINANCE)(depth())  # And the reader is as it was.


HEADER = """<composite name="messageHeader"><type name="blockLength" primitiveType="uint16"/>
<type name="templateId" primitiveType="uint16"/><type name="schemaId" primitiveType="uint16"/>
<type name="version" primitiveType="uint16"/></composite>"""
NESTED = f"""<sbe:messageSchema xmlns:sbe="http://fixprotocol.io/2016/sbe" byteOrder="bigEndian"><types>{HEADER}
<composite name="groupSizeEncoding"><type name="blockLength" primitiveType="uint16"/>
<type name="numInGroup" primitiveType="uint8"/></composite>
<composite name="text"><type name="length" primitiveType="uint16"/><type name="varData" length="0" primitiveType="uint8"/></composite>
<type name="Name" primitiveType="char" length="4"/><enum name="Side" encodingType="uint8"/>
<composite name="Decimal"><type name="mantissa" primitiveType="int64"/>
<type name="exponent" primitiveType="int8" presence="constant">-8</type></composite></types>
<sbe:message name="quote" id="3"><field name="name" type="Name"/><field name="side" type="Side"/>
<field name="price" type="Decimal" offset="8"/><field name="rate" type="double"/><field name="late" type="int64"/>
<group name="legs" id="4"><field name="a" type="int8"/><group name="fills" id="5"/><data name="note" type="text"/></group>
</sbe:message></sbe:messageSchema>"""


def test_types_are_followed_constants_take_no_place_and_groups_may_hold_groups():
    header = struct.pack(">HHHH", 24, 3, 1, 0)
    block = b"BTC\0" + b"\x02" + b"..." + struct.pack(">qd", 642505, 0.25)
    fills, note = struct.pack(">HB", 2, 3) + b"......", struct.pack(">H", 5) + b"hello"
    legs = struct.pack(">HB", 1, 2) + 2 * (b"\x01" + fills + note)
    found = {"name": "BTC", "side": 2, "price_mantissa": 642505, "rate": 0.25, "legs": 2}

    assert {"template": "quote", "body": found} == parser_of(NESTED)(header + block + legs)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("", "no XML"),
        ("<a/>", "it has no message"),
        ("<a><message id='1'/></a>", "it has no type messageHeader"),
        (BINANCE.replace("templateId", "kind"), "its messageHeader has no templateId"),
        (BINANCE.replace('"utcTimestampUs" primitive', '"other" primitive'), "eventTime has the type utcTimestampUs, which it does not say"),
        (BINANCE.replace("numInGroup", "count"), "group trades has no blockLength and numInGroup"),
        (BINANCE.replace('type="varString8"', 'type="long"'), "it has no type long"),
        (NESTED.replace('type="double"', 'type="groups"').replace("<types>", "<types><composite name='groups'/>"), "rate has no size"),
        (NESTED.replace('length="4"', 'length="-4"'), "a type has no size that can be"),
        (NESTED.replace('encodingType="uint8"', 'encodingType="Odd"').replace("<types>", "<types><enum name='Odd' encodingType='Side'/>"), "a type has no size that can be"),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused_with_why(schema, told):
    with pytest.raises(ValueError, match=told):
        parser_of(schema)
