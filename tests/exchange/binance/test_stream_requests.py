import pytest

from capacity.exchange.binance.stream_requests import StreamError, parsed_stream_request


@pytest.mark.parametrize("given", ["1", "null", '"a1-b"'])
def test_ids_come_back_as_they_were(given):
    assert parsed_stream_request(b'{"method":"SUBSCRIBE","params":[],"id":%b}' % given.encode())


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (b"{", 3, "Invalid JSON"),
        (b"{}", 2, "missing field `method`"),
        (b'{"method":"subscribe","id":1}', 2, "unknown variant `subscribe`"),
        (b'{"method":"SUBSCRIBE","id":1.5}', 2, "request ID must be an unsigned integer"),
    ],
)
def test_bad_frames_get_code_and_message(text, code, words):
    with pytest.raises(StreamError) as caught:
        parsed_stream_request(text)

    assert code == caught.value.answer["code"]
    assert words in caught.value.answer["msg"]
