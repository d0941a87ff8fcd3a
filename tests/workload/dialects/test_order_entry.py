"""The requests of an order entry, in their order."""

from capacity.workload.dialects.order_entry import OrderEntry, OrderRequest

ONE = OrderRequest(send={"a": 1})


def test_the_login_comes_first_where_there_is_one():
    entry = OrderEntry(place=ONE, amend=ONE, cancel=ONE, balance=ONE)
    with_login = OrderEntry(login=ONE, place=ONE, amend=ONE, cancel=ONE, balance=ONE)

    assert [name for name, _ in entry.requests()] == ["place", "amend", "balance", "cancel"]
    assert next(name for name, _ in with_login.requests()) == "login"
