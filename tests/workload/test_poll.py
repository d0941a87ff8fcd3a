"""The bytes of a poll, read by the standard library's own parser, and the ages of answers."""

import gzip
import http.client
import io
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.dialects.channel_requests import Channel
from capacity.workload.dialects.dialect import Data, Dialect, Operation
from capacity.workload.dialects.endpoints import Http, WebSocket
from capacity.workload.dialects.moment import Time, clock_by
from capacity.workload.poll import poll_of, written_at

CLOCK = clock_by(Time(path="result.timestamp", unit="ms"))
AT_S = 1_700_000_000.5


def dialect(**operation):
    return Dialect(
        dialect=1,
        name="mine",
        ws=WebSocket(url="{scheme}://{host}:{port}/ws"),
        http=Http(base="{scheme}://{host}:{port}/api"),
        channels={"ticker": Channel(wire="{symbol}")},
        data=Data(where={}),
        rest={"ticker": Operation(path="/ticker/{symbol}", **operation)},
    )


def poll(*, is_kept=True, tls=False, host="exchange.example", **operation):
    where = {"host": host, "port": 8080, "tls": tls, "symbol": "A/B"}
    return poll_of(dialect(**operation), "ticker", is_kept=is_kept, **where)


def parsed(found):
    """Return request line, headers and body, as a server reads them."""
    stream = io.BytesIO(found.head + b"\r\n" + found.body)
    line = stream.readline().decode().split()
    headers = http.client.parse_headers(stream)
    return line, dict(headers), stream.read()


def test_a_poll_is_a_request_as_servers_read_it():
    line, headers, body = parsed(poll(query={"depth": 20}))

    assert ["GET", "/api/ticker/A%2FB?depth=20", "HTTP/1.1"] == line
    assert "exchange.example:8080" == headers["Host"]
    assert "Connection" not in headers
    assert b"" == body


def test_a_body_comes_with_its_length_and_type():
    line, headers, body = parsed(poll(method="POST", body={"params": {"name": "{symbol}"}}))

    assert "POST" == line[0]
    assert {"params": {"name": "A/B"}} == orjson.loads(body)
    assert ("application/json", str(len(body))) == (
        headers["Content-Type"],
        headers["Content-Length"],
    )


def test_a_post_without_a_body_says_so():
    assert "0" == parsed(poll(method="POST"))[1]["Content-Length"]


def test_on_a_connection_for_one_poll_the_target_is_asked_to_close():
    assert "close" == parsed(poll(is_kept=False))[1]["Connection"]


def test_an_ipv6_host_stands_in_brackets():
    assert "[::1]:8080" == parsed(poll(host="::1"))[1]["Host"]


def test_over_tls_the_address_says_so():
    assert poll(tls=True).url.startswith("https://exchange.example:8080/")


def test_only_a_dialect_that_names_the_time_has_a_clock():
    timed = poll(time=Time(path="result.timestamp", unit="ms"))

    assert (None, AT_S) == (poll().clock, timed.clock(None, answer_at(AT_S)))


def answer_at(at_s):
    return {"result": {"timestamp": at_s * 1000}}


BODY = orjson.dumps(answer_at(AT_S))


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (BODY, ""),
        (BODY, "identity"),
        (gzip.compress(BODY, mtime=0), "gzip"),
        (zlib.compress(BODY), "deflate"),
    ],
)
def test_a_body_says_when_it_was_written_compressed_or_not(body, encoding):
    assert AT_S == written_at(CLOCK, body, encoding, 1000)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"", ""),
        (b"<html>", ""),
        (b"{}", ""),
        (b'{"result": null}', ""),
        (BODY, "gzip"),
        (gzip.compress(BODY, mtime=0), ""),
        (gzip.compress(BODY, mtime=0)[:-9], "gzip"),
        (gzip.compress(b" " * 1_000_000 + BODY), "gzip"),
        (gzip.compress(BODY, mtime=0), "br"),
    ],
    ids=["none", "no JSON", "no time", "null", "not gzip", "gzip unsaid", "cut", "bomb", "brotli"],
)
def test_a_body_that_does_not_say_has_no_time(body, encoding):
    assert written_at(CLOCK, body, encoding, 1000) is None


@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "br"]))
def test_no_body_is_an_error(body, encoding):
    found = written_at(CLOCK, body, encoding, 1000)

    assert found is None or found > 0


def test_a_header_takes_the_place_of_what_would_be_sent():
    dialect = Dialect(
        dialect=1,
        name="x",
        ws=WebSocket(url="ws://h"),
        http=Http(base="http://{host}:{port}"),
        channels={},
        data=(),
        rest={"book": Operation(path="/book")},
    )
    poll = poll_of(
        dialect,
        "book",
        host="h",
        port=1,
        tls=False,
        symbol="A",
        is_kept=True,
        headers={"host": "a.test", "Accept": "text/plain", "X-Key": "k"},
    )
    lines = poll.head.decode().split("\r\n")

    assert ["host: a.test"] == [line for line in lines if line.lower().startswith("host:")]
    assert ["Accept: text/plain"] == [line for line in lines if line.startswith("Accept:")]
    assert "X-Key: k" in lines
