"""Checksums of books: the examples that venues publish, and books that are rebuilt from what a market did."""

import json
import runpy
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.dialects.checksum import Book, BookRule, KeptBook

BOOKS = runpy.run_path(str(Path(__file__).with_name("books.py")))
OKX_EXAMPLES = BOOKS["OKX_EXAMPLES"]
KRAKEN = BOOKS["KRAKEN"]
OKX = BOOKS["OKX"]
feed = BOOKS["feed"]
message = BOOKS["message"]
texts = BOOKS["texts"]
outcome = BOOKS["outcome"]
FITS = BOOKS["FITS"]
UNKNOWN = BOOKS["UNKNOWN"]
Market = BOOKS["Market"]
# docs.kraken.com, guides/websockets/book-checksum-v2, as the numbers stand on the wire.
KRAKEN_BIDS = """45283.5 0.10000000, 45283.4 1.54582015, 45282.1 0.10000000, 45281.0 0.10000000,
45280.3 1.54592586, 45279.0 0.07990000, 45277.6 0.03310103, 45277.5 0.30000000, 45277.3 1.54602737,
45276.6 0.15445238"""
KRAKEN_ASKS = """45285.2 0.00100000, 45286.4 1.54571953, 45286.6 1.54571109, 45289.6 1.54560911,
45290.2 0.15890660, 45291.8 1.54553491, 45294.7 0.04454749, 45296.1 0.35380000, 45297.5 0.09945542,
45299.5 0.18772827"""
KRAKEN_CHECKSUM = 3310070434
# The same venue's guide for its version 1, whose numbers are texts.
FIRST_BIDS = "0.05000 0.04995 0.04990 0.04980 0.04975 0.04970 0.04965 0.04960 0.04955 0.04950"
FIRST_ASKS = "0.05005 0.05010 0.05015 0.05020 0.05025 0.05030 0.05035 0.05040 0.05045 0.05050"
FIRST_CHECKSUM = 974947235


def pairs(side):
    return [tuple(one.split()) for one in side.split(",")]


def test_the_checksum_of_the_venues_example_fits_by_the_digits_on_the_wire():
    talk = feed(KRAKEN)
    payload = message(pairs(KRAKEN_BIDS), pairs(KRAKEN_ASKS), KRAKEN_CHECKSUM, "snapshot")

    assert FITS == outcome(talk.receive(payload))


def test_the_same_numbers_with_fewer_digits_do_not_fit():
    talk = feed(KRAKEN)
    payload = message(pairs(KRAKEN_BIDS), pairs(KRAKEN_ASKS), KRAKEN_CHECKSUM, "snapshot")
    problem = f"checksum: the snapshot itself does not fit {KRAKEN_CHECKSUM}"

    assert (0, 0, 0, problem) == outcome(talk.receive(payload.replace(b"0.00100000", b"0.001")))


@pytest.mark.parametrize("as_text", [int, str])
def test_the_example_of_the_venues_first_version_fits_whose_numbers_are_texts(as_text):
    talk = feed({"form": "kraken", "depth": 10})
    sides = [[(price, "0.00000500") for price in side.split()] for side in (FIRST_BIDS, FIRST_ASKS)]

    assert FITS == outcome(talk.receive(texts(*sides, as_text(FIRST_CHECKSUM), "snapshot")))


@pytest.mark.parametrize(("bids", "asks", "checksum"), OKX_EXAMPLES)
def test_signed_checksums_of_levels_in_turns_fit(bids, asks, checksum):
    assert FITS == outcome(feed(OKX).receive(texts(bids, asks, checksum, "snapshot")))


def test_a_checksum_of_0_is_none_where_the_venue_sends_none():
    bids, asks, _checksum = OKX_EXAMPLES[0]
    told = outcome(feed(OKX).receive(texts(bids, asks, 0, "snapshot")))

    assert (0, 0, 0, "checksum is 0: the target sends no checksum") == told


@given(st.integers(0, 10**9))
def test_a_book_that_is_rebuilt_from_updates_fits_each_checksum(seed):
    market, talk = Market(seed), feed(KRAKEN)

    assert FITS == outcome(talk.receive(market.message("snapshot")))
    assert {FITS} == {outcome(talk.receive(market.message())) for _ in range(30)}


class PlainBook:
    """What a client holds that applies updates the plainest way."""

    def __init__(self):
        self.bids, self.asks = {}, {}

    def apply(self, payload):
        (item,) = json.loads(payload, parse_float=Decimal)["data"]
        for side, name, is_bid in ((self.bids, "bids", True), (self.asks, "asks", False)):
            for level in item[name]:
                side[level["price"]] = level["qty"]
            best = sorted((price for price in side if side[price]), reverse=is_bid)[:10]
            for price in set(side) - set(best):
                del side[price]

    def fits(self, market):
        sides = [
            {Decimal(p): Decimal(side[p]) / 10**8 for p in best} for side, best in market.sides()
        ]
        return [self.bids, self.asks] == sides


@given(st.integers(0, 10**9), st.integers(0, 20))
def test_an_update_that_was_left_out_is_found_exactly_where_the_book_goes_wrong(seed, place):
    market, talk, plain = Market(seed), feed(KRAKEN), PlainBook()
    was_right = True
    for n in range(30):
        payload = market.message("update" if n else "snapshot")
        if n == place + 1:
            continue
        plain.apply(payload)
        is_right = plain.fits(market)
        told = outcome(talk.receive(payload))[:3]
        assert told == ((0, 1, 0) if is_right else (1, 1, 1) if was_right else (0, 0, 0))
        was_right = is_right


def test_after_a_mismatch_nothing_is_known_until_a_checksum_fits_again():
    market, talk = Market(7), feed(KRAKEN)
    talk.receive(market.message("snapshot"))
    market.bids[100] = 5
    talk.receive(message([], [], market.checksum()))
    found = [outcome(talk.receive(message([], [], market.checksum()))) for _ in range(2)]
    repaired = message([("100.0", "0.00000005")], [], market.checksum())

    assert [UNKNOWN, UNKNOWN, FITS] == [*found, outcome(talk.receive(repaired))]


def test_a_mismatch_is_one_missing_update_and_told_with_the_checksum():
    market, talk = Market(7), feed(KRAKEN)
    talk.receive(market.message("snapshot"))
    told = outcome(talk.receive(message([], [], 5)))

    assert (1, 1, 1, "checksum: the book does not fit 5") == told


def test_updates_before_the_snapshot_are_not_checked():
    market, talk = Market(1), feed(KRAKEN)

    assert UNKNOWN == outcome(talk.receive(market.message()))
    assert FITS == outcome(talk.receive(market.message("snapshot")))


def test_without_a_way_to_tell_snapshots_the_first_update_begins_the_book():
    market, talk = Market(1), feed(KRAKEN, snapshot=None)

    assert FITS == outcome(talk.receive(market.message("snapshot").replace(b"snapshot", b"update")))
    assert FITS == outcome(talk.receive(market.message()))


def test_a_new_subscription_waits_for_its_snapshot():
    market, talk = Market(1), feed(KRAKEN)
    talk.receive(market.message("snapshot"))
    talk.unsubscribe(("a",)) if talk._dialect.unsubscribe else talk._forget_books(("a", "b"))

    assert UNKNOWN == outcome(talk.receive(market.message()))


def test_levels_beyond_the_depth_that_the_request_names_are_forgotten():
    rule = BookRule(Book(form="kraken", depth="depth"), 10)
    book = KeptBook(rule)
    levels = [[f"{price}.0", "1.0"] for price in range(100, 160)]
    item = {"bids": levels, "asks": levels, "checksum": 1}
    book.take(item, item, lambda: (item, item), is_snapshot=True)

    assert ["159010", "100010"] == [side.best(1)[0] for side in (book._bids, book._asks)]
    assert [10, 10] == [len(side.best(99)) for side in (book._bids, book._asks)]
    assert [10, 10] == [len(side._texts) for side in (book._bids, book._asks)]
