"""`capacity dialect replay`."""

import json

from click.testing import CliRunner

from capacity.cli.dialects.replay import command


def test_frames_are_counted_and_shown_where_asked(recorded):
    path = recorded("okx")
    counted = CliRunner().invoke(command, ["okx", path]).output
    shown = CliRunner().invoke(command, ["okx", path, "--frames", "4"]).output

    assert counted.startswith("25 frames from the server: 20 with updates")
    assert '> {"op": "subscribe"' in shown
    assert "= confirmation" in shown


def test_the_wrong_dialect_is_told_by_class(recorded):
    path = recorded("binance")
    told = CliRunner().invoke(command, ["deribit", path]).output
    document = json.loads(CliRunner().invoke(command, ["deribit", path, "--json"]).output)

    assert '20 × no rule fits; the first: {"stream": "btcusdt@depth@100ms"' in told
    assert [("no rule fits", 20)] == [(one["class"], one["count"]) for one in document["problems"]]
    assert {"unmatched": 20, "ignored": 1} == document["by_kind"]
