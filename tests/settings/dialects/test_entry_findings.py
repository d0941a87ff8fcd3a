"""A dialect whose orders cannot be is refused with its key."""

from dataclasses import replace

import pytest

from capacity.settings.dialect import findings, load_dialect
from capacity.settings.locate import find
from capacity.workload.dialects.order_entry import OrderRequest

DERIBIT = load_dialect(find("dialects", "deribit"))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"cancel": OrderRequest()}, ("orders", "cancel")),
        ({"cancel": OrderRequest(path="cancel")}, ("orders", "cancel", "path")),
        (
            {"cancel": OrderRequest(path="/c", keep={"x": "a..b"})},
            ("orders", "cancel", "keep", "x"),
        ),
        ({"headers": {"Content-Length": "1"}}, ("orders", "headers", "Content-Length")),
        ({"cancel": OrderRequest(path="/c", weight=-0.1)}, ("orders", "cancel", "weight")),
        ({"headers": {"a b": "1"}}, ("orders", "headers", "a b")),
    ],
)
def test_what_cannot_be_is_named_with_its_place(changes, place):
    dialect = replace(DERIBIT, orders=replace(DERIBIT.orders, **changes))

    assert [where for where, _sentence in findings(dialect)] == [place]


def test_the_shipped_orders_are_right():
    assert list(findings(DERIBIT)) == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [({"channel": None}, ("rest", "book")), ({"channel": "boko"}, ("rest", "book", "channel"))],
)
def test_a_version_needs_the_channel_it_is_compared_with(changes, place):
    rest = {**DERIBIT.rest, "book": replace(DERIBIT.rest["book"], **changes)}

    assert [where for where, _sentence in findings(replace(DERIBIT, rest=rest))] == [place]
