import json
import zlib

import pytest
from websockets.sync.client import connect

from capacity.exchange.frames import close_frame, text_frame
from capacity.exchange.outlets.deflating import Deflater, DeflatingOutlet

TIMEOUT_S = 60.0


def inflated(frame, inflater):
    assert frame[0] == 0xC1
    begins = {126: 4, 127: 10}.get(frame[1], 2)
    return inflater.decompress(frame[begins:] + b"\x00\x00\xff\xff")


@pytest.mark.parametrize("window_bits", [9, 15])
def test_each_message_can_be_read_with_and_without_those_before_it(window_bits):
    deflater = Deflater(window_bits)
    texts = [b"abc" * n for n in (1, 100, 40_000)] + [b"abc" * 100]
    frames = [deflater.deflated(text_frame(text)) for text in texts]
    keeping = zlib.decompressobj(wbits=-window_bits)

    assert texts == [inflated(frame, keeping) for frame in frames]
    assert texts == [inflated(frame, zlib.decompressobj(wbits=-window_bits)) for frame in frames]


def test_one_frame_is_compressed_once_for_everybody():
    deflater, frame = Deflater(15), text_frame(b"x" * 50)

    assert deflater.deflated(frame) is deflater.deflated(frame)


def test_what_is_no_text_is_left_as_it_is():
    farewell = close_frame(1000, "bye")

    assert farewell == Deflater(15).deflated(farewell)


def test_all_but_writing_is_left_to_the_connection_itself():
    class Wire:
        def get_write_buffer_size(self):
            return 3

        def is_closing(self):
            return False

        def close(self):
            told.append("close")

        def abort(self):
            told.append("abort")

    told = []
    outlet = DeflatingOutlet(Wire(), Deflater(15))
    outlet.close()
    outlet.abort()

    assert (3, False) == (outlet.get_write_buffer_size(), outlet.is_closing())
    assert ["close", "abort"] == told


def test_who_offers_it_is_sent_compressed_frames_and_who_does_not_plain_ones(exchange, ask):
    client = exchange(compresses=True, updates_per_s=50.0)
    subscription = {
        "id": 1,
        "method": "public/subscribe",
        "params": {"channels": ["book.BTC-PERPETUAL.raw"]},
    }
    seen = []
    with connect(client.ws, compression="deflate", open_timeout=TIMEOUT_S) as offering:
        assert "permessage-deflate" in offering.response.headers["Sec-WebSocket-Extensions"]
        offering.send(json.dumps(subscription))
        seen = [json.loads(offering.recv(TIMEOUT_S)) for _ in range(20)]
        offering.ping().wait(TIMEOUT_S)
    plain = client.connect()
    assert ["book.BTC-PERPETUAL.raw"] == ask(
        plain, **subscription["params"], method="public/subscribe"
    )["result"]
    changes = [notice["params"]["data"] for notice in seen[2:]]

    assert [change["prev_change_id"] for change in changes[1:]] == [
        change["change_id"] for change in changes[:-1]
    ]


def test_without_the_option_it_is_granted_to_nobody(exchange):
    with connect(exchange().ws, compression="deflate", open_timeout=TIMEOUT_S) as offering:
        assert "Sec-WebSocket-Extensions" not in offering.response.headers
