"""Books that are kept for a share of subscriptions, and updates that cannot be checked."""

import runpy
from pathlib import Path

import pytest

from capacity.workload.dialects.checksum import MOST_LETTERS, BookShare

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


@pytest.mark.parametrize(
    "level",
    ['{"price":1e200,"qty":1}', '{"price":1e-8,"qty":1}', '{"price":-1.5,"qty":1}', '{"price":true,"qty":1}',
     '{"price":1}', "7", "null", '{"price":"NaN","qty":"1"}', '{"price":"٣","qty":"1"}',
     '{"price":%s,"qty":1}' % ("1" * (MOST_LETTERS + 1)), '{"price":"1.1.1","qty":1}'],
)  # fmt: skip
def test_a_level_that_cannot_be_read_is_told_and_the_book_waits_for_a_snapshot(level):
    market, talk = Market(3), feed(KRAKEN)
    talk.receive(market.message("snapshot"))
    odd = message([], [], 1).replace(b'"bids":[]', b'"bids":[%s]' % level.encode())
    told = "checksum: a level at bids or asks cannot be read"

    assert (0, 0, 0, told) == outcome(talk.receive(odd))
    assert UNKNOWN == outcome(talk.receive(market.message()))
    assert FITS == outcome(talk.receive(market.message("snapshot")))


def test_a_message_that_is_nested_too_deep_for_its_digits_to_be_read_does_no_harm():
    market, talk = Market(3), feed(KRAKEN)
    deep = b"[" * 990 + b"]" * 990
    odd = market.message("snapshot").replace(b'"ts":', b'"deep":%s,"ts":' % deep)

    assert talk.receive(odd).problem in {None, "checksum: a level at bids or asks cannot be read"}


@pytest.mark.parametrize("checksum", ["null", '"x"', "1.5", "true"])
def test_an_update_without_its_checksum_is_not_checked_and_keeps_the_book(checksum):
    market, talk = Market(3), feed(KRAKEN)
    talk.receive(market.message("snapshot"))
    told = outcome(talk.receive(message([], [], checksum)))

    assert (0, 0, 0, "no whole number at checksum") == told
    assert FITS == outcome(talk.receive(market.message()))


def test_beside_a_number_one_missing_update_counts_once():
    bids, asks, checksum = OKX_EXAMPLES[0]
    talk = feed(OKX, rule="prev_link", seq="n", prev="p")
    talk.receive(texts(bids, asks, checksum, "snapshot", n=1, p=-1))

    assert (1, 1, 1) == outcome(talk.receive(texts([], [], 5, n=4, p=3)))[:3]
    assert (0, 1, 0) == outcome(talk.receive(texts([], [], 5, n=5, p=4)))[:3]


def test_only_a_share_of_subscriptions_keeps_a_book_the_first_always():
    share = BookShare()

    assert [True, *[False] * 9, True, *[False] * 9, True] == [share.takes(0.1) for _ in range(21)]
    assert all(BookShare().takes(1.0) for _ in range(9))
    assert BookShare().takes(1e-9)


def test_what_asks_to_check_all_keeps_every_book():
    share = BookShare()
    share.is_whole = True

    assert all(share.takes(0.1) for _ in range(21))


def test_a_glance_counts_updates_of_subscriptions_without_a_book_as_unchecked():
    market, talk = Market(5), feed(KRAKEN | {"share": 0.1})
    kept = market.message("snapshot")
    other = kept.replace(b'"ch":"a"', b'"ch":"b"')
    talk.receive(kept)
    talk.receive(other)
    glances = talk._dialect.glances

    assert (None, 0) == (talk.glance(kept), glances.unnumbered)
    assert (1_700_000_000.0, 1) == (talk.glance(other), glances.unnumbered)
    assert (0, 0) == (talk.receive(other).numbered, talk.receive(other).missed)


def test_a_glance_at_an_unseen_book_says_nothing():
    market, talk = Market(5), feed(KRAKEN)

    assert talk.glance(market.message("snapshot")) is None
    assert FITS == outcome(talk.receive(market.message("snapshot")))
