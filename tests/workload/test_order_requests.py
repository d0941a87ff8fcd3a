"""Orders as the dialect of the bundled exchange writes them, and what its answers say."""

from dataclasses import replace

import orjson
import pytest

from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.dialects.order_entry import OrderRequest
from capacity.workload.order_cycle import Outcome
from capacity.workload.order_requests import order_requests_of, wanted

DERIBIT = load_dialect(find("dialects", "deribit"))
ORDERS = order_requests_of(DERIBIT, host="127.0.0.1", port=80, tls=False)
VALUES = {
    "id": 7,
    "symbol": "BTC-PERPETUAL",
    "connection": 3,
    "access_token": "t",
    "order_id": "BTC-1",
    "client_id": "me",
    "client_secret": "s",
    "amount": 10,
    "price": 1.5,
    "amended_price": 2,
}


def test_a_frame_holds_the_values_with_their_types():
    asked = orjson.loads(ORDERS.frame("place", VALUES))

    assert asked["id"] == 7
    assert asked["params"] == {
        "instrument_name": "BTC-PERPETUAL",
        "type": "limit",
        "amount": 10,
        "price": 1.5,
        "label": "capacity-3",
    }


def test_over_rest_the_frame_is_the_body_and_the_token_a_header():
    asked = ORDERS.over_http("cancel", VALUES, {"Host": "x.example"})
    first, *lines = asked.head.decode().splitlines()

    assert first == "POST /api/v2/private/cancel HTTP/1.1"
    assert "Host: x.example" in lines
    assert "Authorization: Bearer t" in lines
    assert f"Content-Length: {len(asked.body)}" in lines
    assert orjson.loads(asked.body) == orjson.loads(ORDERS.frame("cancel", VALUES))


def test_the_login_carries_no_token_yet():
    assert b"Authorization" not in ORDERS.over_http("login", VALUES, {}).head


def test_a_get_has_its_values_in_path_and_query_and_no_body():
    cancel = OrderRequest(
        path="/o/{order_id}", method="GET", query={"s": "{symbol}"}, send={"a": 1}
    )
    orders = replace(ORDERS, entry=replace(ORDERS.entry, cancel=cancel))
    asked = orders.over_http("cancel", {**VALUES, "order_id": "a/b"}, {})

    assert asked.head.startswith(b"GET /api/v2/o/a%2Fb?s=BTC-PERPETUAL HTTP/1.1\r\n")
    assert (b"", False) == (asked.body, b"Content-" in asked.head)


def test_the_target_file_has_to_give_what_nobody_else_does():
    assert wanted(ORDERS.entry) == [
        "client_id",
        "client_secret",
        "amount",
        "price",
        "amended_price",
    ]


@pytest.mark.parametrize(
    ("answer", "outcome", "kept"),
    [
        ({"id": 1, "result": {"order": {"order_id": "X"}}}, Outcome.ANSWERED, {"order_id": "X"}),
        ({"id": 1, "result": {}}, Outcome.UNKNOWN, {}),
        ({"id": 1, "error": {"code": 10009, "message": "no funds"}}, Outcome.REFUSED, {}),
        ({"id": 1}, Outcome.REFUSED, {}),
    ],
)
def test_an_answer_is_read(answer, outcome, kept):
    told = ORDERS.read("place", answer)

    assert (told.outcome, dict(told.kept)) == (outcome, kept)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"result": 1}', Outcome.ANSWERED),
        (399, b'{"result": 1}', Outcome.ANSWERED),
        (400, b'{"result": 1}', Outcome.REFUSED),
        (400, b'{"error": {"code": 1}}', Outcome.REFUSED),
        (499, b"<html>", Outcome.REFUSED),
        (500, b'{"error": {"code": 1}}', Outcome.UNKNOWN),
        (200, b"<html>", Outcome.UNKNOWN),
    ],
)
def test_a_status_says_whether_it_may_have_been_done(status, body, outcome):
    assert ORDERS.read_text("balance", status, body).outcome is outcome
