"""What was agreed on is read as RFC 7692 says, and nothing inflates past its bound."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection as Peer
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage
from wsproto.extensions import PerMessageDeflate

from capacity.loadgen.wire.compression import OFFER, Deflate, Inflater, NegotiationError, agreed

CONTENT = b'{"price": 1, "price": 1, "amount": 2}'

RFC_HELLO = bytes.fromhex("f248cdc9c90700")
"""RFC 7692 §7.2.3.1; below the other examples of §7.2.3."""
RFC_HELLO_AGAIN = bytes.fromhex("f200110000")
RFC_STORED = bytes.fromhex("000500faff48656c6c6f00")
RFC_FINAL = bytes.fromhex("f348cdc9c9070000")
RFC_TWO_BLOCKS = bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", ""))


def inflated(*messages, terms=None, limit=1000):
    inflater = Inflater(terms or Deflate())
    return [inflater.inflated(message, limit, is_last=True) for message in messages]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, None),
        ("", None),
        ("permessage-deflate", Deflate()),
        ("Permessage-Deflate; client_max_window_bits=10", Deflate()),
        ('permessage-deflate; server_max_window_bits="9"', Deflate(window_bits=9)),
        (
            "permessage-deflate;server_no_context_takeover ; client_no_context_takeover",
            Deflate(keeps_context=False),
        ),
    ],
)
def test_an_answer_says_what_was_agreed_on(answer, expected):
    assert expected == agreed(answer, is_offered=True)


@pytest.mark.parametrize(
    "answer",
    [
        "permessage-bzip2",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; anything",
        ";",
    ],
)
def test_terms_that_do_not_exist_fail_the_handshake(answer):
    with pytest.raises(NegotiationError):
        agreed(answer, is_offered=True)


def test_compression_that_was_not_offered_fails_the_handshake():
    with pytest.raises(NegotiationError):
        agreed("permessage-deflate", is_offered=False)


def test_the_examples_of_the_rfc_are_read():
    assert [b"Hello", b"Hello"] == inflated(RFC_HELLO, RFC_HELLO_AGAIN)
    assert [b"Hello"] == inflated(RFC_STORED)
    assert [b"Hello", b"Hello"] == inflated(RFC_FINAL, RFC_HELLO)
    assert [b"Hello"] == inflated(RFC_TWO_BLOCKS)


def test_without_context_a_message_may_not_refer_to_the_one_before():
    terms = Deflate(keeps_context=False)

    assert [b"Hello", b"Hello"] == inflated(RFC_HELLO, RFC_HELLO, terms=terms)
    with pytest.raises(zlib.error):
        inflated(RFC_HELLO, RFC_HELLO_AGAIN, terms=terms)


@given(
    messages=st.lists(st.binary(max_size=3000), max_size=5),
    bits=st.integers(9, 15),
    keeps_context=st.booleans(),
)
def test_what_wsproto_compresses_is_inflated(messages, bits, keeps_context):
    flags = "" if keeps_context else "; server_no_context_takeover"
    extension = PerMessageDeflate()
    accepted = extension.accept(f"{OFFER}; server_max_window_bits={bits}{flags}")
    answer = f"permessage-deflate; {accepted}"
    server = Peer(ConnectionType.SERVER, [extension])
    inflater = Inflater(agreed(answer, is_offered=True))
    for message in messages:
        frame = server.send(BytesMessage(data=message))
        content = bytes(frame[4 if frame[1] == 126 else 2 :])

        assert message == inflater.inflated(content, 3000, is_last=True)


@given(junk=st.lists(st.tuples(st.binary(max_size=200), st.booleans()), max_size=5))
def test_junk_is_an_error_or_bounded_content(junk):
    inflater = Inflater(Deflate())
    for part, is_last in junk:
        try:
            content = inflater.inflated(part, 100, is_last=is_last)
        except zlib.error:
            return

        assert len(content) <= 101


def test_a_bomb_takes_no_more_memory_than_its_bound():
    packer = zlib.compressobj(level=9, wbits=-15)
    bomb = packer.compress(bytes(100_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)[:-4]
    tracemalloc.start()
    (content,) = inflated(bomb, limit=1_000_000)
    _size, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 1_000_001 == len(content)
    assert peak_bytes < 3_000_000


@pytest.mark.parametrize(
    "parts",
    [
        lambda packed: [packed],
        lambda packed: [packed + b"\x00"],
        lambda packed: [packed, b""],
        lambda packed: [packed, b"\x00"],
        lambda packed: [packed + b"\x00", b"", b""],
        lambda packed: [packed[:5], packed[5:], b"\x00"],
    ],
    ids=["bare", "octet", "empty part", "octet in a part", "octet and empty parts", "cut"],
)
def test_a_final_block_may_end_in_any_fragment_and_the_next_message_begins_anew(parts):
    inflater = Inflater(Deflate())
    for _ in range(2):
        cut = parts(zlib.compress(CONTENT, wbits=-15))
        found = [
            inflater.inflated(part, 10_000, is_last=n == len(cut) - 1) for n, part in enumerate(cut)
        ]

        assert CONTENT == b"".join(found)


@pytest.mark.parametrize(
    "behind", [[b"\x01"], [b"\x00\x00"], [b"\x00", bytes(2)], [b"a", b""], [b"\x03\x00", b""]]
)
def test_a_message_ends_with_its_final_block(behind):
    inflater = Inflater(Deflate())
    inflater.inflated(zlib.compress(CONTENT, wbits=-15), 10_000, is_last=False)

    with pytest.raises(zlib.error):
        [inflater.inflated(part, 10_000, is_last=part is behind[-1]) for part in behind]
