import json

import pytest

from capacity.exchange.api.user_channels import UserChannels
from capacity.exchange.venue import Venue

ORDERS, TRADES = "user.orders.BTC-PERPETUAL.raw", "user.trades.any.any.100ms"
PORTFOLIO = "user.portfolio.btc"
LOW, HIGH = 1.0, 1e9


@pytest.mark.parametrize(
    ("name", "is_offered"),
    [
        (ORDERS, True),
        (TRADES, True),
        ("user.orders.future.BTC.agg2", True),
        ("user.orders.bond.BTC.raw", False),
        ("user.orders.future.XYZ.raw", False),
        ("user.orders.NO-SUCH.raw", False),
        ("user.orders.BTC-PERPETUAL.50ms", False),
        ("user.changes.BTC-PERPETUAL.raw", False),
        (PORTFOLIO, True),
        ("user.portfolio.xyz", False),
        ("user", False),
        ("quote.BTC-PERPETUAL", False),
    ],
)
def test_names_of_the_dialect_are_offered(name, is_offered):
    assert is_offered is UserChannels(Venue(seed=1, instruments=2).markets).offers(name)


@pytest.fixture
def logged_in(exchange, ask):
    client = exchange(updates_per_s=0.001, instruments=2)

    def log_in(client_id):
        connection = client.connect()
        login = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "x"}
        ask(connection, "public/auth", **login)
        return connection

    log_in.client = client
    return log_in


def bought(connection, price, instrument="BTC-PERPETUAL"):
    params = {"instrument_name": instrument, "type": "limit", "amount": 10, "price": price}
    connection.send(json.dumps({"id": 7, "method": "private/buy", "params": params}))


def test_an_account_hears_of_its_own_orders_and_fills(logged_in, ask, pushed):
    connection = logged_in("ann")
    names = [ORDERS, TRADES, PORTFOLIO]
    assert names == ask(connection, "private/subscribe", channels=names)["result"]
    bought(connection, HIGH)
    told = {one["channel"]: one["data"] for one in pushed(connection, 3)}
    reply = json.loads(connection.recv())["result"]

    assert reply["order"] == told[ORDERS]
    assert ([reply["trades"]], "filled") == ([told[TRADES]], told[ORDERS]["order_state"])
    assert "BTC" == told[PORTFOLIO]["currency"]


def test_an_open_order_is_told_when_it_is_amended_and_cancelled_by_another_connection(
    logged_in, ask, pushed
):
    listening, trading = logged_in("ann"), logged_in("ann")
    name = "user.orders.any.any.100ms"
    ask(listening, "private/subscribe", channels=[name])
    bought(trading, LOW)
    (placed,) = pushed(listening)
    order_id = placed["data"][0]["order_id"]
    while "id" not in json.loads(trading.recv()):
        pass
    ask(trading, "private/edit", order_id=order_id, amount=20, price=2)
    ask(trading, "private/cancel", order_id=order_id)
    amended, cancelled = pushed(listening, 2)

    assert (name, order_id, 20) == (
        amended["channel"],
        amended["data"][0]["order_id"],
        amended["data"][0]["amount"],
    )
    assert "cancelled" == cancelled["data"][0]["order_state"]


def test_nobody_else_hears_of_them(logged_in, ask, pushed):
    other, trading = logged_in("bob"), logged_in("ann")
    ask(other, "private/subscribe", channels=[ORDERS])
    for instrument in ("BTC-PERPETUAL", "ETH-PERPETUAL"):
        bought(trading, HIGH, instrument)
        trading.recv()
    bought(other, HIGH, "ETH-PERPETUAL")
    assert 7 == json.loads(other.recv())["id"]
    bought(other, HIGH)

    assert ORDERS == pushed(other)[0]["channel"]


def test_they_are_confirmed_to_who_is_logged_in_and_asks_for_private_ones(logged_in, exchange, ask):
    stranger = logged_in.client.connect()
    assert 13009 == ask(stranger, "private/subscribe", channels=[ORDERS])["error"]["code"]
    assert [] == ask(stranger, "public/subscribe", channels=[ORDERS])["result"]
    connection = logged_in("ann")
    assert [] == ask(connection, "public/subscribe", channels=[ORDERS])["result"]
    both = [ORDERS, "quote.BTC-PERPETUAL"]
    assert both == ask(connection, "private/subscribe", channels=both)["result"]


def test_who_leaves_them_hears_no_more_and_leaves_nothing_behind(logged_in, ask):
    connection = logged_in("ann")
    ask(connection, "private/subscribe", channels=[ORDERS])
    assert 1 == logged_in.client.status()["subscriptions"]
    assert [ORDERS] == ask(connection, "private/unsubscribe", channels=[ORDERS])["result"]
    bought(connection, HIGH)
    assert 7 == json.loads(connection.recv())["id"]
    ask(connection, "private/subscribe", channels=[ORDERS])
    connection.shutdown()

    logged_in.client.status_once(lambda status: status["subscriptions"] == 0)


def test_who_logs_in_as_another_keeps_what_was_subscribed_before(logged_in, ask):
    connection, trading = logged_in("ann"), logged_in("ann")
    ask(connection, "private/subscribe", channels=[ORDERS])
    login = {"grant_type": "client_credentials", "client_id": "bob", "client_secret": "x"}
    ask(connection, "public/auth", **login)
    bought(trading, HIGH)
    trading.recv()

    assert ORDERS == json.loads(connection.recv())["params"]["channel"]
    assert [ORDERS] == ask(connection, "private/unsubscribe", channels=[ORDERS])["result"]
