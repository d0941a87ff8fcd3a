import pytest

from capacity.exchange.market.channels import Channel, Subject, parsed_channel


@pytest.mark.parametrize(
    ("name", "subject", "interval_s"),
    [
        ("book.BTC-PERPETUAL.100ms", Subject.BOOK_CHANGES, 0.1),
        ("book.BTC-PERPETUAL.raw", Subject.BOOK_CHANGES, 0.0),
        ("ticker.BTC-PERPETUAL.100ms", Subject.TICKER, 0.1),
        ("trades.BTC-PERPETUAL.agg2", Subject.TRADES, 2.0),
        ("quote.BTC-PERPETUAL", Subject.QUOTE, 0.0),
    ],
)
def test_plain_channels_are_understood(name, subject, interval_s):
    assert parsed_channel(name) == Channel(
        name=name, subject=subject, instrument="BTC-PERPETUAL", interval_s=interval_s
    )


@pytest.mark.parametrize(("group", "price_step"), [("none", None), ("10", 10.0)])
def test_grouped_books_are_understood(group, price_step):
    name = f"book.ETH-PERPETUAL.{group}.20.100ms"

    assert parsed_channel(name) == Channel(
        name=name,
        subject=Subject.BOOK_LEVELS,
        instrument="ETH-PERPETUAL",
        interval_s=0.1,
        group=price_step,
        depth=20,
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "book",
        "book.BTC-PERPETUAL",
        "book.BTC-PERPETUAL.1s",
        "book.BTC-PERPETUAL.3.10.100ms",
        "book.BTC-PERPETUAL.10.7.100ms",
        "candles.BTC-PERPETUAL.raw",
        "quote.BTC-PERPETUAL.raw",
        "ticker.BTC-PERPETUAL.none.10.100ms",
    ],
)
def test_other_names_are_no_channels(name):
    assert parsed_channel(name) is None
