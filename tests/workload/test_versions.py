"""Versions of what is pushed and polled, in the dialect of the bundled exchange."""

from dataclasses import replace

import orjson
import pytest

from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.versions import PushedVersions, polled_version, versioned_operation

DERIBIT = load_dialect(find("dialects", "deribit"))
BOOK = "book.BTC-PERPETUAL.100ms"
PUSHED = PushedVersions(compile_dialect(DERIBIT), BOOK)


def frame(channel=BOOK, **data):
    body = {"method": "subscription", "params": {"channel": channel, "data": data}}
    return orjson.dumps(body)


def test_an_update_says_when_and_which():
    assert PUSHED.seen(frame(timestamp=1_700_000_000_500, change_id=7)) == [(1_700_000_000.5, 7)]


@pytest.mark.parametrize(
    "message",
    [b"{", b'{"id": 1, "result": []}', frame(timestamp=1_700_000_000_500), frame(change_id=7)],
)
def test_what_does_not_say_both_is_passed_over(message):
    assert PUSHED.seen(message) == []


def test_an_answer_says_which():
    assert polled_version("result.change_id", b'{"result": {"change_id": "12"}}') == 12
    assert polled_version("result.change_id", b'{"result": {}}') is None
    assert polled_version("result.change_id", b"<html>") is None


def test_an_operation_with_channel_and_version_can_be_compared():
    assert versioned_operation(DERIBIT) == "book"
    assert versioned_operation(replace(DERIBIT, rest={"ticker": DERIBIT.rest["ticker"]})) is None
