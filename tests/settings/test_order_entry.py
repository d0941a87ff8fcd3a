"""The orders of a target file: what is wrong is said with file, line and key, secrets never."""

from dataclasses import replace

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.order_entry import Orders, anchored_orders, order_findings, order_values
from capacity.settings.target import load_target, recorded
from capacity.workload.dialects.endpoints import Secret

DERIBIT = load_dialect(find("dialects", "deribit"))
VALUES = {
    "client_id": "me",
    "client_secret": "s3cret",
    "amount": 10,
    "price": 1,
    "amended_price": 2,
}


def said(orders, dialect=DERIBIT):
    return [sentence for _place, sentence in order_findings(orders, dialect)]


def test_what_the_dialect_wants_is_enough():
    assert said(Orders(values=VALUES)) == []


def test_a_value_that_lacks_and_one_too_many_are_named():
    lacking = {name: value for name, value in VALUES.items() if name != "price"} | {"prize": 1}
    first, second = said(Orders(values=lacking))

    assert "needs price" in first
    assert "need no prize" in second


def test_a_dialect_without_orders_is_named():
    assert ["has no orders" in text for text in said(Orders(), replace(DERIBIT, orders=None))] == [
        True
    ]


@pytest.mark.parametrize(("way", "key"), [("rest", "path"), ("websocket", "send")])
def test_a_way_that_the_dialect_does_not_describe_is_an_error(way, key):
    entry = replace(DERIBIT.orders, balance=replace(DERIBIT.orders.balance, **{key: None}))
    other = {"rest": "websocket", "websocket": "rest"}[way]
    dialect = replace(DERIBIT, orders=entry)

    assert len(said(Orders(over=(way,), values=VALUES), dialect)) == 1
    assert said(Orders(over=(other,), values=VALUES), dialect) == []


def test_a_secret_is_read_where_the_file_says_and_not_recorded(tmp_path):
    (tmp_path / "key").write_text("hidden\n")
    orders = anchored_orders(Orders(values={"client_secret": Secret(file="key"), "n": 1}), tmp_path)

    assert order_values(orders.values) == {"client_secret": "hidden", "n": 1}
    with pytest.raises(ConfigError, match="client_secret"):
        order_values({"client_secret": Secret(env="NOBODY_SETS_THIS")})
    assert "demo" not in str(recorded(load_target(find("targets", "demo")))["orders"])


def test_the_line_of_an_unknown_value_is_named(tmp_path):
    text = find("targets", "demo").read_text().replace("amended_price", "amended_prize")
    (tmp_path / "mine.yaml").write_text(text)

    with pytest.raises(ConfigError, match=r"mine.yaml:\d+: orders.values"):
        load_target(tmp_path / "mine.yaml")
