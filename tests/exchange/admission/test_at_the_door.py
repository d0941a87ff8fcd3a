"""Caps and credits as raw clients meet them, at real sockets."""

import json
import socket

import pytest
import requests
import websocket

TIMEOUT_S = 60.0
ALMOST_NONE = {"credits_per_s": 0.001, "credits_burst": 10}


def refusal_of(client):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        client.connect()
    return refused.value


def test_connections_beyond_the_cap_of_an_address_get_429_and_when_to_come_again(exchange):
    client = exchange(max_connections_per_address=2)
    first, _second = client.connect(), client.connect()
    refused = refusal_of(client)

    assert (429, "5") == (refused.status_code, refused.resp_headers["retry-after"])
    assert b"too many connections from your address" in refused.resp_body
    elsewhere = socket.create_connection(
        ("127.0.0.1", int(client.http.rsplit(":", 1)[1])),
        TIMEOUT_S,
        source_address=("127.0.0.2", 0),
    )
    websocket.create_connection(client.ws, socket=elsewhere).shutdown()
    first.shutdown()
    status = client.status_once(lambda status: status["open_connections"] == 1)
    assert (1, 3) == (status["throttled"], status["accepted"])
    client.connect()


def test_requests_beyond_the_credits_get_429_and_who_goes_on_418(exchange):
    client = exchange(**ALMOST_NONE, ban_after=2)
    book = {"instrument_name": "BTC-PERPETUAL"}
    answers = [client.get("public/get_order_book", **book) for _ in range(5)]

    assert [200, 200, 429, 429, 418] == [answer.status_code for answer in answers]
    assert 10028 == answers[2].json()["error"]["code"]
    assert "5000" == answers[2].headers["Retry-After"]
    assert 119 <= int(answers[4].headers["Retry-After"]) <= 120
    assert "banned" in answers[4].json()["error"]["data"]["reason"]
    assert (418, 200) == (refusal_of(client).status_code, 200 if client.status() else 0)
    status = client.status()
    assert (2, 2, 2) == (status["throttled"], status["banned"], status["requests"])


@pytest.mark.parametrize(
    "body", [b'{"method":"public/get_instruments"}', b"[]", b"{", b'{"method":5}']
)
def test_a_request_in_a_body_pays_too(exchange, body):
    client = exchange(**ALMOST_NONE)

    def post():
        return requests.post(f"{client.http}/api/v2", data=body, timeout=TIMEOUT_S).status_code

    statuses = [post() for _ in range(11)]

    assert 429 == statuses[-1]
    assert (429 if b"get_instruments" in body else 400) == statuses[1]


def test_over_websocket_the_venues_error_comes_first_and_then_a_close(exchange, ask):
    client = exchange(**ALMOST_NONE, ban_after=1)
    connection = client.connect()
    channels = [f"quote.{name}-PERPETUAL" for name in ("BTC", "ETH", "SOL", "XRP")]
    assert channels == ask(connection, "public/subscribe", channels=channels)["result"]
    for _ in range(5):
        assert "result" in ask(connection, "public/test")
    error = ask(connection, "public/subscribe", channels=channels * 2)["error"]
    assert (10028, "too_many_requests") == (error["code"], error["message"])
    assert error["data"]["wait"] >= 1
    connection.send(json.dumps({"id": 2, "method": "public/get_instruments"}))
    while (frame := connection.recv_frame()).opcode != websocket.ABNF.OPCODE_CLOSE:
        pass

    assert 1008 == int.from_bytes(frame.data[:2], "big")
    assert b"banned" in frame.data
    assert 418 == refusal_of(client).status_code
