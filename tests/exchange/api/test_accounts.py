import pytest

from capacity.exchange.api import accounts
from capacity.exchange.api.accounts import Accounts, Tokens
from capacity.exchange.api.rpc import RpcError
from capacity.exchange.market.instruments import listed_instruments
from capacity.exchange.market.market import Market

MARKET = Market(listed_instruments(1)[0], seed=1)
BID, ASK = 60_000.0, 60_000.5


def placed(book, direction, price, client_id="ann"):
    return book.place(client_id, MARKET, direction=direction, amount=10, price=price, label="mine")


@pytest.mark.parametrize("client_id", ["ann", "a.b", "ünal"])
def test_a_token_names_its_account(client_id):
    tokens = Tokens(seed=1)

    assert tokens.owner(tokens.issued(client_id)) == client_id


@pytest.mark.parametrize("token", ["", "ann", "ann.", "ann.00", ".", "ann.ü"])
def test_a_token_not_issued_here_has_no_owner(token):
    assert Tokens(seed=1).owner(token) is None


def test_a_token_of_another_exchange_has_no_owner():
    assert Tokens(seed=1).owner(Tokens(seed=2).issued("ann")) is None


@pytest.mark.parametrize(
    ("direction", "price", "state", "paid"),
    [
        ("buy", BID, "open", 0.0),
        ("buy", ASK, "filled", ASK),
        ("buy", ASK + 100, "filled", ASK),
        ("buy", None, "filled", ASK),
        ("sell", ASK, "open", 0.0),
        ("sell", BID, "filled", BID),
        ("sell", None, "filled", BID),
    ],
)
def test_what_crosses_the_book_is_filled_at_its_top(direction, price, state, paid):
    order = placed(Accounts(), direction, price)

    assert (order.order_state, order.average_price) == (state, paid)
    assert order.filled_amount == (10 if state == "filled" else 0)


def test_an_open_order_can_be_cancelled_once():
    book = Accounts()
    order = placed(book, "buy", BID)

    assert book.cancel("ann", order.order_id).order_state == "cancelled"
    with pytest.raises(RpcError, match="11044 not_open_order"):
        book.cancel("ann", order.order_id)


def test_nobody_cancels_the_order_of_another():
    book = Accounts()
    order = placed(book, "buy", BID)

    with pytest.raises(RpcError, match="11044"):
        book.cancel("bob", order.order_id)
    assert list(book.of("ann").open_orders) == [order.order_id]


def test_filled_orders_are_not_kept():
    book = Accounts()
    placed(book, "buy", None)

    assert book.of("ann").open_orders == {}


def test_an_account_cannot_hold_orders_without_end(monkeypatch):
    monkeypatch.setattr(accounts, "MOST_OPEN_ORDERS", 2)
    book = Accounts()
    placed(book, "buy", BID)
    placed(book, "buy", BID)

    with pytest.raises(RpcError, match="10009 not_enough_funds"):
        placed(book, "buy", BID)
