"""Faults as a raw client meets them, at real sockets."""

import select
from itertools import pairwise
from random import Random

import pytest
import requests
import websocket

from capacity.exchange.faults.ordered_faults import HalfOpen, Skip

BOOK, TICKER = "book.BTC-PERPETUAL.raw", "ticker.BTC-PERPETUAL.raw"
TIMEOUT_S = 60.0
SILENT_S = 0.2


def order(client, **fault):
    answer = requests.post(f"{client.http}/faults", json=fault, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    return answer.json()["connections"]


@pytest.fixture
def client(exchange):
    return exchange(updates_per_s=50.0, instruments=1, takes_faults=True)


@pytest.fixture
def following(client, ask):
    def follow(*channels):
        connection = client.connect()
        ask(connection, "public/subscribe", channels=list(channels))
        return connection

    return follow


def test_what_is_skipped_is_a_gap_of_just_so_many_numbers(client, following, pushed):
    connection = following(BOOK, TICKER)
    order(client, kind="skip", updates=3, channels="book.*")
    client.status_once(lambda status: status["withheld"] == 3)
    books = [told["data"] for told in pushed(connection, 40) if told["channel"] == BOOK]
    gaps = [
        later["prev_change_id"] - earlier["change_id"]
        for earlier, later in pairwise(books)
        if later["prev_change_id"] != earlier["change_id"]
    ]

    assert 1 == len(gaps)
    assert books[-1]["change_id"] > books[0]["change_id"] + 3


def test_a_stall_holds_updates_back_and_answers_requests(client, following, ask, pushed):
    connection = following(BOOK)
    (before,) = pushed(connection)
    order(client, kind="stall", for_s=0.3)
    assert "version" in ask(connection, "public/test")["result"]
    ids = [before["data"]["change_id"]]
    ids += [told["data"]["change_id"] for told in pushed(connection, 30)]

    assert 0 == client.status()["withheld"]
    assert sorted(set(ids)) == ids


def test_a_half_open_connection_brings_nothing_and_answers_nothing(client, following):
    connection, other = following(BOOK), following(BOOK)
    assert 2 == order(client, kind="half_open")
    connection.send('{"id":1,"method":"public/test"}')
    connection.ping()
    connection.settimeout(SILENT_S)
    came = []
    with pytest.raises(websocket.WebSocketTimeoutException):
        came.extend(iter(connection.recv_frame, None))
    client.status_once(lambda status: status["withheld"] > 0)

    assert {websocket.ABNF.OPCODE_TEXT} >= {frame.opcode for frame in came}
    assert not any(b'"id"' in frame.data for frame in came)

    assert 2 == client.status()["open_connections"]
    other.shutdown()
    client.status_once(lambda status: status["open_connections"] == 1)


def test_who_leaves_a_half_open_connection_gets_no_farewell(client, following):
    connection = following(BOOK)
    order(client, kind="half_open")
    connection.send_close(1000)
    client.status_once(lambda status: status["open_connections"] == 0)
    came = []
    with pytest.raises((websocket.WebSocketException, OSError)):
        came.extend(iter(connection.recv_frame, None))

    assert websocket.ABNF.OPCODE_CLOSE not in {frame.opcode for frame in came}


def test_a_burst_tells_every_move_at_once(exchange, ask, pushed):
    client = exchange(updates_per_s=0.001, instruments=1, takes_faults=True)
    connection = client.connect()
    ask(
        connection,
        "public/subscribe",
        channels=["book.BTC-PERPETUAL.100ms", "trades.BTC-PERPETUAL.agg2"],
    )
    pushed(connection)
    assert 1 == order(client, kind="burst", updates=25)
    told = pushed(connection, 50)
    books = [one["data"] for one in told if one["channel"].startswith("book")]

    assert 25 == len(books)
    assert [b["prev_change_id"] for b in books[1:]] == [b["change_id"] for b in books[:-1]]


@pytest.mark.parametrize("seed", [5, 6])
def test_the_seed_draws_the_connections_by_the_order_they_came_in(exchange, ask, seed):
    client = exchange(seed=seed, updates_per_s=0.001, takes_faults=True)
    connections = [client.connect() for _ in range(12)]
    for connection in connections:
        ask(connection, "public/test")
    assert 4 == order(client, kind="half_open", share_ratio=0.33)
    for connection in connections:
        connection.send('{"id":1,"method":"public/get_time"}')
    client.status()
    silent = [
        number
        for number, connection in enumerate(connections)
        if not select.select([connection.sock], [], [], SILENT_S)[0]
    ]

    assert sorted(Random(f"{seed}:faults").sample(range(12), 4)) == silent


def test_a_fault_of_the_file_comes_at_its_time_and_befalls_nobody_where_nobody_is(exchange):
    client = exchange(faults=(Skip(kind="skip"), HalfOpen(kind="half_open", after_s=0.05)))
    status = client.status_once(lambda status: status["faults"] >= 2)

    assert (2, 0) == (status["faults"], status["withheld"])


def test_a_fault_may_be_done_again_and_again(exchange):
    client = exchange(faults=(Skip(kind="skip", every_s=0.02),))
    first = client.status_once(lambda status: status["faults"] >= 1)["faults"]

    assert client.status_once(lambda status: status["faults"] >= first + 2)["withheld"] == 0
