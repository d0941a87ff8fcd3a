"""From a target file to polls, and to connections that reach the bundled exchange."""

import itertools
from dataclasses import replace

import pytest

from capacity.loadgen.wire.polls import poll_connection, polls_of
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

DIALECT = load_dialect(find("dialects", "deribit"))


def test_there_is_a_poll_for_each_symbol(exchange, target_file):
    polls = polls_of(target_file(exchange, symbols=["A", "B"]), DIALECT)

    assert ["instrument_name=A", "instrument_name=B"] == [
        poll.url.partition("?")[2] for poll in polls
    ]


def test_without_symbols_there_is_one_poll(exchange, target_file):
    target = target_file(exchange, symbols=[], rest={"operation": "time"})

    assert ["time"] == [poll.name for poll in polls_of(target, DIALECT)]


def test_without_a_rest_section_there_is_none(exchange, target_file):
    assert () == polls_of(target_file(exchange, rest=None), DIALECT)


@pytest.mark.parametrize(("connections", "opened"), [("keep_alive", 1), ("new", 3)])
def test_the_target_file_says_what_becomes_of_the_connection(
    exchange, target_file, connections, opened
):
    rest = {"operation": "ticker", "connections": connections}
    target = target_file(exchange, rest=rest)
    poll = polls_of(target, DIALECT)[0]
    connection = poll_connection(target, DIALECT, poll.url, itertools.repeat(None), 2.0)
    answers = []
    for _ in range(3):
        answers.append(connection.exchange(poll.head + b"\r\n", is_repeatable=True))
        connection.finish()
    connection.close()

    assert {200} == {answer.status for answer in answers}
    assert opened == sum("tcp" in answer.opening_us for answer in answers)


@pytest.mark.parametrize(
    ("base", "host"),
    [("{scheme}://{host}:{port}", "venue.example"), ("https://api.example", None)],
)
def test_a_host_of_the_websocket_is_that_of_requests_to_the_same_place(
    exchange, target_file, base, host
):
    ws = replace(DIALECT.ws, headers={"Host": "venue.example", "X-Own": "1"})
    http = replace(DIALECT.http, base=base, headers={})
    [poll] = polls_of(target_file(exchange, symbols=["A"]), replace(DIALECT, ws=ws, http=http))

    assert (f"Host: {host}\r\n".encode() in poll.head) is (host is not None)
    assert b"X-Own" not in poll.head


def test_each_connection_leaves_from_the_next_source_address(exchange, target_file):
    target = target_file(exchange, rest={"operation": "ticker", "connections": "new"})
    poll = polls_of(target, DIALECT)[0]
    sources = iter(["127.0.0.2", "127.0.0.3", "127.0.0.4"])
    connection = poll_connection(target, DIALECT, poll.url, sources, 2.0)
    for _ in range(2):
        connection.exchange(poll.head + b"\r\n", is_repeatable=True)
        connection.finish()

    assert "127.0.0.4" == next(sources)
