import pytest
import requests


def test_methods_are_called_by_their_path(exchange):
    reply = exchange().get(
        "public/get_order_book", instrument_name="BTC-PERPETUAL", depth=2, id="7"
    )

    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("application/json")
    assert reply.json()["id"] == "7"
    assert len(reply.json()["result"]["bids"]) == 2


@pytest.mark.parametrize("path", ["", "/public/ticker"])
def test_a_json_rpc_request_may_be_posted(exchange, path):
    request = {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "public/ticker",
        "params": {"instrument_name": "ETH-PERPETUAL"},
    }
    reply = requests.post(f"{exchange().http}/api/v2{path}", json=request, timeout=30).json()

    assert (reply["id"], reply["result"]["instrument_name"]) == (3, "ETH-PERPETUAL")


def test_a_posted_request_may_leave_its_method_to_the_path(exchange):
    reply = requests.post(f"{exchange().http}/api/v2/public/get_time", json={"id": 1}, timeout=30)

    assert reply.json()["result"] > 0


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("public/subscribe", 10030),
        ("public/nope", -32601),
        ("private/get_account_summary", 13009),
        ("public/ticker", -32602),
    ],
)
def test_errors_come_with_status_400(exchange, method, code):
    reply = exchange().get(method)

    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)


def test_a_token_opens_the_private_methods(exchange):
    client = exchange()
    auth = {"grant_type": "client_credentials", "client_id": "ann", "client_secret": "x"}
    token = client.get("public/auth", **auth).json()["result"]["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    asked = {"instrument_name": "BTC-PERPETUAL", "amount": 10, "price": 1}
    order = client.get("private/buy", headers=headers, **asked).json()["result"]["order"]
    cancels = [
        client.get("private/cancel", headers=headers, order_id=order["order_id"]).json()
        for _ in range(2)
    ]

    assert cancels[0]["result"]["order_state"] == "cancelled"
    assert cancels[1]["error"]["code"] == 11044


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer ann.0123", 400),
        ("Basic YTpi", 400),
        ("deri-hmac-sha256 id=ann,ts=1,sig=00,nonce=n", 200),
    ],
)
def test_a_signed_request_names_its_account_and_a_false_token_none(exchange, authorization, status):
    reply = exchange().get("private/get_account_summary", headers={"Authorization": authorization})

    assert reply.status_code == status


def test_the_status_counts_what_was_answered_and_names_the_limits(exchange):
    client = exchange(max_connections=3)
    client.get("public/test")
    client.get("public/nope")
    status = client.status()

    assert (status["requests"], status["open_connections"], status["max_connections"]) == (1, 0, 3)
    assert status["descriptor_limit"] is None


def test_a_body_beyond_the_cap_is_refused(exchange):
    reply = requests.post(f"{exchange().http}/api/v2", data=b"x" * 40_000, timeout=30)

    assert reply.status_code == 413


@pytest.mark.parametrize("method", ["public/ticker", "public/get_order_book"])
def test_what_has_not_changed_is_not_sent_again(exchange, method):
    client = exchange(updates_per_s=0.1)
    asked = {"instrument_name": "BTC-PERPETUAL"}
    tag = client.get(method, **asked).headers["ETag"]
    again = client.get(method, headers={"If-None-Match": tag}, **asked)
    other = client.get(method, headers={"If-None-Match": 'W/"1"'}, **asked)

    assert (304, b"", tag) == (again.status_code, again.content, again.headers["ETag"])
    assert (200, tag) == (other.status_code, other.headers["ETag"])
    assert 3 == client.status()["requests"]


def test_a_move_of_the_market_changes_the_tag(exchange):
    client = exchange(updates_per_s=100)
    asked = {"instrument_name": "BTC-PERPETUAL"}
    tags = {client.get("public/ticker", **asked).headers["ETag"] for _ in range(50)}

    assert len(tags) > 1


@pytest.mark.parametrize("method", ["public/get_time", "public/nope"])
def test_what_is_not_of_a_market_has_no_tag(exchange, method):
    assert "ETag" not in exchange().get(method).headers
