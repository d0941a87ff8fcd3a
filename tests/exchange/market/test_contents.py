from statistics import median

import orjson
import pytest

from capacity.exchange.market.channels import parsed_channel
from capacity.exchange.market.contents import content_of
from capacity.exchange.market.feed import Feed
from capacity.exchange.market.instruments import listed_instruments
from capacity.exchange.market.market import Market

NOW_MS = 1_795_394_145_024


def content_and_market(name, *, instruments=11):
    channel = parsed_channel(name)
    listed = {instrument.name: instrument for instrument in listed_instruments(instruments)}
    market = Market(listed[channel.instrument], seed=1)
    return content_of(channel, market), market


def applied(book, data):
    """Keep a book as a client would."""
    for side in ("bids", "asks"):
        for action, price, amount in data[side]:
            if action == "delete":
                del book[side][price]
            else:
                assert (action == "new") == (price not in book[side])
                book[side][price] = amount
    return book


def test_snapshot_and_changes_rebuild_the_book_and_chain_by_id():
    content, market = content_and_market("book.BTC-PERPETUAL.100ms")
    snapshot = content.first(NOW_MS)
    book, change_id = applied({"bids": {}, "asks": {}}, snapshot), snapshot["change_id"]
    for moves in range(1, 40):
        for _ in range(moves):
            market.advance()
            content.absorb(NOW_MS)
        update = content.update(NOW_MS)

        assert update["prev_change_id"] == change_id
        change_id = update["change_id"]
        applied(book, update)

    price_at = market.instrument.price_at
    assert change_id == market.change_id
    assert book["bids"] == {price_at(ticks): amount for ticks, amount in market.book.bids()}
    assert book["asks"] == {price_at(ticks): amount for ticks, amount in market.book.asks()}


def test_who_joins_between_two_updates_gets_the_book_that_the_next_change_follows():
    content, market = content_and_market("book.BTC-PERPETUAL.100ms")
    market.advance()
    content.absorb(NOW_MS)
    snapshot = content.first(NOW_MS)
    update = content.update(NOW_MS)

    assert "prev_change_id" not in snapshot
    assert update["prev_change_id"] == snapshot["change_id"]


def test_book_levels_are_grouped_and_cut_to_their_depth():
    content, market = content_and_market("book.BTC-PERPETUAL.5.1.100ms")
    (bid,), (ask,) = content.first(NOW_MS)["bids"], content.first(NOW_MS)["asks"]
    first_bids = sum(market.book.bid_amounts[:1])

    assert bid == (60_000.0, first_bids)
    assert ask == (60_005.0, sum(market.book.ask_amounts[:10]))


def test_trades_are_each_told_once_and_not_to_who_joins():
    content, market = content_and_market("trades.BTC-PERPETUAL.100ms")
    first_seq = market.trade_seq + 1
    told = []
    for moves in (1, 3, 2):
        for _ in range(moves):
            market.advance()
            content.absorb(NOW_MS)
        told.append([trade["trade_seq"] - first_seq for trade in content.update(NOW_MS)])

    assert content.first(NOW_MS) is None
    assert told == [[0], [1, 2, 3], [4, 5]]


def test_quote_is_the_top_of_the_book():
    content, market = content_and_market("quote.ETH-PERPETUAL")

    assert content.first(NOW_MS) == market.quote() | {"timestamp": NOW_MS}


class _Sizes:
    def __init__(self):
        self.sizes_bytes = []

    def deliver(self, frame):
        header_bytes = 4 if len(frame) > 127 else 2
        self.sizes_bytes.append(len(frame) - header_bytes)


@pytest.mark.parametrize(
    ("name", "published_bytes"),
    [
        # Medians of captures of a real venue: 746 B for an option's ticker, 275 B for a delta.
        ("ticker.BTC-28JUN30-45600-C.100ms", 746),
        ("book.BTC-PERPETUAL.100ms", 275),
    ],
)
def test_updates_are_as_large_as_those_of_a_real_venue(name, published_bytes):
    content, market = content_and_market(name)
    feed, sizes = Feed(parsed_channel(name), content), _Sizes()
    feed.join(sizes)
    for _ in range(500):
        market.advance()
        feed.absorb()
        feed.publish()

    assert median(sizes.sizes_bytes[1:]) == pytest.approx(published_bytes, rel=0.05)


def test_every_update_can_be_written_as_json():
    for name in (
        "book.{}.raw",
        "book.{}.none.10.raw",
        "ticker.{}.raw",
        "trades.{}.raw",
        "quote.{}",
    ):
        content, market = content_and_market(name.format("XRP-PERPETUAL"))
        market.advance()
        content.absorb(NOW_MS)

        assert b"NaN" not in orjson.dumps(content.update(NOW_MS))
