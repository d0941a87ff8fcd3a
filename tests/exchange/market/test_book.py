from hypothesis import given
from hypothesis import strategies as st

from capacity.exchange.market.book import Book, changes_between, grouped_levels

sides = st.dictionaries(st.integers(1, 30), st.integers(1, 9).map(float), max_size=20).map(
    lambda side: sorted(side.items())
)


def a_book():
    return Book(best_bid_ticks=100, bid_amounts=[5.0, 6.0, 7.0], ask_amounts=[1.0, 2.0, 3.0])


def test_the_best_ask_is_one_tick_above_the_best_bid():
    book = a_book()

    assert book.bids() == [(100, 5.0), (99, 6.0), (98, 7.0)]
    assert book.asks() == [(101, 1.0), (102, 2.0), (103, 3.0)]


def test_moving_up_turns_the_best_ask_into_the_best_bid():
    book = a_book()
    book.move_up(bid_amount=8.0, ask_amount=4.0)

    assert book.bids() == [(101, 8.0), (100, 5.0), (99, 6.0)]
    assert book.asks() == [(102, 2.0), (103, 3.0), (104, 4.0)]


def test_moving_down_turns_the_best_bid_into_the_best_ask():
    book = a_book()
    book.move_down(bid_amount=8.0, ask_amount=4.0)

    assert book.bids() == [(99, 6.0), (98, 7.0), (97, 8.0)]
    assert book.asks() == [(100, 4.0), (101, 1.0), (102, 2.0)]


def test_a_copy_stays_as_it_was():
    book = a_book()
    copy = book.copy()
    book.bid_amounts[0] = 99.0
    book.move_up(bid_amount=1.0, ask_amount=1.0)

    assert copy == a_book()


@given(before=sides, after=sides)
def test_changes_turn_the_book_before_into_the_book_after(before, after):
    rebuilt = dict(before)
    for action, ticks, amount in changes_between(before, after):
        assert (action == "new") == (ticks not in rebuilt)
        if action == "delete":
            assert amount == 0.0
            del rebuilt[ticks]
        else:
            rebuilt[ticks] = amount

    assert sorted(rebuilt.items()) == after


@given(side=sides)
def test_an_unchanged_side_has_no_changes(side):
    assert changes_between(side, side) == []


@given(side=sides, group_ticks=st.integers(1, 12), upwards=st.booleans())
def test_grouping_keeps_the_total_amount_and_rounds_away_from_the_middle(
    side, group_ticks, upwards
):
    grouped = grouped_levels(side, group_ticks=group_ticks, upwards=upwards)

    assert sum(amount for _, amount in grouped) == sum(amount for _, amount in side)
    assert all(ticks % group_ticks == 0 for ticks, _ in grouped)
    if side:
        outermost = max(side)[0] if upwards else min(side)[0]
        assert abs((max(grouped)[0] if upwards else min(grouped)[0]) - outermost) < group_ticks
