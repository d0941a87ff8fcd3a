"""`capacity dialect explain`."""

import re

import pytest
from click.testing import CliRunner

from capacity.cli.dialects.explain import command
from capacity.domain.errors import ConfigError
from capacity.settings.locate import names_of


@pytest.mark.parametrize("name", names_of("dialects"))
def test_every_shipped_dialect_can_be_explained(name):
    result = CliRunner().invoke(command, [name, "--symbol", "BTC"])

    assert result.exit_code == 0, result.output
    assert re.match(r"connect   (wss|https)://HOST:PORT/", result.output)
    assert result.output.isascii() or "…" not in result.output


def test_the_frames_are_those_that_would_be_sent():
    shown = CliRunner().invoke(command, ["okx", "--channel", "books", "--symbol", "A-B"]).output

    assert 'send      {"op":"subscribe","args":[{"channel":"books","instId":"A-B"}]}' in shown
    assert "each 20 s  send ping" in shown
    assert "of the channel named by {arg.channel}:{arg.instId}, read from data" in shown


def test_needs_are_shown_by_their_names():
    shown = CliRunner().invoke(command, ["binance-sbe", "--symbol", "x"]).output

    assert "header    X-MBX-APIKEY: {api_key}" in shown


def test_an_unknown_channel_lists_those_there_are():
    with pytest.raises(ConfigError, match="has no channel x, it has book, ticker"):
        CliRunner().invoke(command, ["deribit", "--channel", "x"], catch_exceptions=False)
