"""Addresses, channels, headers and operations that cannot be, each refused with its line."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("rest: {book: {path: book}}", ".book.path: must begin with / (got 'book')"),
        ('rest: {book: {path: "/{symbl}"}}', ".book.path: {symbl} has no value here; there is {symbol}, {connection}"),
        ("rest: {book: {path: /, time: {path: a b, unit: s}}}", ".book.time.path: no path; keys joined by dots, such as params.channel (got 'a b')"),
        ("rest: {book: {path: /, time: {path: a, unit: h}}}", ".book.time.unit: must be 's', 'ms', 'us', 'ns' or 'rfc3339' (got \"h\")"),
        ("rest: {book: {path: /, weight: -1}}", ".book.weight: must be 0 or more (got -1)"),
        ("rest: {book: {path: /, method: PUT}}", ".book.method: must be 'GET' or 'POST' (got \"PUT\")"),
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_is_refused_with_its_line(
    dialect_file, plainest, line, problem
):
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(plainest + line))

    section = line.partition(":")[0]
    assert str(error.value) == f"d.yaml:7: {section}{problem}"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{scheme}://{host}:{port}/", "{scheme}://{host}:{hots}/", "3: ws.url: {hots} has no value here; there is {scheme}, {host}, {port}, {channel}, {channels}, {connection}"),
        ('"{scheme}://{host}:{port}/"', "wss://api.venue.com/v1", "3: ws.url: must begin with {scheme}://{host}:{port}, which the target file gives: load goes to no other host (got 'wss://api.venue.com/v1')"),
        ("{host}:{port}/", "{host}.com/", "3: ws.url: must begin with {scheme}://{host}:{port}, which the target file gives: load goes to no other host (got '{scheme}://{host}.com/')"),
        ('base: "{scheme}://{host}:{port}"', 'base: "https://api.venue.com"', "4: http.base: must begin with {scheme}://{host}:{port}, which the target file gives: load goes to no other host (got 'https://api.venue.com')"),
        ("{port}/", "{port}/{channel}", "3: ws.url: names a channel, so that ws.idle_channel is needed too"),
        ('{port}/"', '{port}/{channel}{channels}", idle_channel: x', "3: ws.url: has {channel} and {channels}; only one of them"),
        ('{port}/"', '{port}/", requests_per_s: 0', "3: ws.requests_per_s: must be greater than 0 (got 0)"),
        ('{port}/"', '{port}/", total_requests_per_s: -1', "3: ws.total_requests_per_s: must be greater than 0 (got -1)"),
        ('base: "{scheme}://{host}:{port}"', 'base: "{scheme}://{host}:{port}", total_weight_per_s: 0', "4: http.total_weight_per_s: must be greater than 0 (got 0)"),
        ("a.{symbol}", "a.{instrument}", "5: channels.a.wire: {instrument} has no value here; there is {symbol}"),
        ('{a: {wire: "a.{symbol}"}}', "{}", "5: channels: needs at least one channel"),
        ('http: {base: "{scheme}://{host}:{port}"}', "rest: {a: {path: /}}", "4: rest: needs http.base, the address before every path"),
    ],
)  # fmt: skip
def test_an_address_or_channel_that_cannot_be_is_refused_with_its_line(
    dialect_file, plainest, old, new, problem
):
    assert old in plainest
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(plainest.replace(old, new)))

    assert str(error.value) == f"d.yaml:{problem}"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ("{A: {file: a, env: B}}", "ws.headers.A: needs exactly one of file and env, or is a text"),
        ('{"A b": x}', "ws.headers.A b: is no name of a header: letters, digits and dashes"),
        ('{A: " x"}', "ws.headers.A: must be one line of visible characters"),
        ('{A: "{token}"}', "ws.headers.A: {token} has no value here; there is {connection}"),
        ("{Upgrade: x}", "ws.headers.Upgrade: belongs to the handshake"),
        (
            "{Sec-WebSocket-Protocol: x}",
            "ws.headers.Sec-WebSocket-Protocol: belongs to the handshake; use ws.subprotocols",
        ),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(dialect_file, plainest, headers, said):
    text = plainest.replace('/"}\nhttp', f'/", headers: {headers}}}\nhttp')
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(text))

    assert f"d.yaml:3: {said}" == str(error.value)


def test_a_channels_name_has_its_symbol_as_it_is_written(dialect_file, plainest):
    text = plainest.replace("a.{symbol}", "a.{symbol:lower}")
    with pytest.raises(ConfigError, match=r"a\.wire: {symbol:lower} cannot be told from"):
        load_dialect(dialect_file(text))
