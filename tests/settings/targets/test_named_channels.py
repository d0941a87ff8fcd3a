"""Channels that a dialect has or has not."""

from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.targets.named_channels import channel_findings

OKX = load_dialect(find("dialects", "okx"))


def test_channels_that_the_dialect_has_are_followed_for_each_symbol():
    assert [] == list(channel_findings(["books", "trades"], ["BTC-USDT"], OKX))


def test_what_the_dialect_has_not_is_named_with_what_it_has():
    [(where, wrong)] = channel_findings(["trades", "nothing"], ["BTC-USDT"], OKX, ("private",))

    assert ("private", "channels", 1) == where
    assert "dialect okx has no channel nothing, it has books, books5, trades, tickers" == wrong


def test_a_channel_of_symbols_needs_some():
    [(where, wrong)] = channel_findings(["trades"], [], OKX)

    assert (("channels", 0), "is made of {symbol}; list what that stands for in symbols") == (
        where,
        wrong,
    )
