import asyncio
import json
import socket

import pytest
import requests
import websocket

from capacity.exchange.api.client_session import Session
from capacity.exchange.counters import Counters
from capacity.exchange.frames import text_frame
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.venue import Venue

TIMEOUT_S = 60.0
TICKER, BOOK = "ticker.BTC-PERPETUAL.100ms", "book.BTC-PERPETUAL.100ms"


def test_the_acknowledgement_comes_first_and_leaves_out_what_is_unknown(exchange):
    connection = exchange().connect()
    connection.send(
        json.dumps(
            {
                "id": "a1",
                "method": "public/subscribe",
                "params": {"channels": [BOOK, "book.NOPE.100ms", TICKER, BOOK]},
            }
        )
    )
    reply, first, second = (json.loads(connection.recv()) for _ in range(3))

    assert (reply["id"], reply["result"]) == ("a1", [BOOK, TICKER])
    assert first["params"]["data"]["type"] == "snapshot"
    assert second["params"]["channel"] == TICKER


def test_updates_follow_and_chain(exchange, ask, pushed):
    connection = exchange(updates_per_s=20.0, instruments=1).connect()
    ask(connection, "public/subscribe", channels=[BOOK])
    snapshot, *changes = (notice["data"] for notice in pushed(connection, 6))
    ids = [snapshot["change_id"], *(change["change_id"] for change in changes)]

    assert [change["prev_change_id"] for change in changes] == ids[:-1]


def test_all_connections_see_the_same_ids(exchange, ask, pushed):
    client = exchange(updates_per_s=20.0, instruments=1)
    seen = []
    for connection in (client.connect(), client.connect()):
        ask(connection, "public/subscribe", channels=["book.BTC-PERPETUAL.raw"])
        seen.append(connection)
    ids = [{n["data"]["change_id"] for n in pushed(connection, 10)} for connection in seen]

    assert len(ids[0] & ids[1]) >= 8


def test_subscribing_again_brings_no_second_snapshot(exchange, ask):
    client = exchange(updates_per_s=0.001)
    connection = client.connect()
    for _ in range(2):
        assert ask(connection, "public/subscribe", channels=[BOOK])["result"] == [BOOK]
    ask(connection, "public/test")

    assert client.status()["deliveries"] == client.status()["subscriptions"] == 1


def test_unsubscribing_names_what_was_left(exchange, ask):
    client = exchange(updates_per_s=0.001)
    connection = client.connect()
    ask(connection, "public/subscribe", channels=[BOOK, TICKER, "quote.ETH-PERPETUAL"])

    assert ask(connection, "public/unsubscribe", channels=[BOOK, "nope"])["result"] == [BOOK]
    assert client.status()["subscriptions"] == 2
    assert ask(connection, "public/unsubscribe_all")["result"] == "ok"
    assert client.status()["subscriptions"] == 0


def test_private_subscriptions_need_an_account_that_auth_gives(exchange, ask):
    connection = exchange().connect()
    denied = ask(connection, "private/subscribe", channels=[TICKER])
    auth = {"grant_type": "client_credentials", "client_id": "ann", "client_secret": "x"}
    ask(connection, "public/auth", **auth)

    assert denied["error"]["code"] == 13009
    assert ask(connection, "private/subscribe", channels=[TICKER])["result"] == [TICKER]


def test_what_is_no_json_is_answered_and_the_connection_stays(exchange, ask):
    connection = exchange().connect()
    connection.send("hello")

    assert json.loads(connection.recv())["error"]["code"] == 11050
    assert ask(connection, "public/test", request_id="later")["id"] == "later"


@pytest.mark.parametrize(("size_bytes", "is_open"), [(32_768, True), (32_769, False)])
def test_requests_are_capped_in_size(exchange, size_bytes, is_open):
    connection = exchange().connect()
    connection.send("x" * size_bytes)
    opcode, data = connection.recv_data()

    assert (opcode == websocket.ABNF.OPCODE_TEXT) == is_open
    if not is_open:
        assert data[:2] == (1009).to_bytes(2, "big")


def test_an_unanswered_test_request_ends_the_connection(exchange, ask, pushed):
    connection = exchange(heartbeat_min_s=0.1, heartbeat_grace_s=0.1).connect()
    assert ask(connection, "public/set_heartbeat", interval=0.1)["result"] == "ok"
    assert [n["type"] for n in pushed(connection, 2)] == ["heartbeat", "test_request"]
    ask(connection, "public/test")
    messages = [connection.recv_data() for _ in range(5)]

    opcode, data = messages[-1]

    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert (int.from_bytes(data[:2], "big"), data[2:]) == (4000, b"heartbeat close")


def test_heartbeats_have_a_least_interval_and_an_end(exchange, ask):
    connection = exchange().connect()

    assert ask(connection, "public/set_heartbeat", interval=9)["error"]["code"] == -32602
    assert ask(connection, "public/set_heartbeat", interval=10)["result"] == "ok"
    assert ask(connection, "public/disable_heartbeat")["result"] == "ok"


def with_a_reader_that_does_not_read(act):
    """Return the counters after *act* on a session whose other side never reads."""
    counters, options = Counters(), ExchangeOptions()
    server_side, client_side = socket.socketpair()
    server_side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)

    async def run():
        venue = Venue(seed=1, instruments=1)
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            asyncio.Protocol, server_side
        )
        session = Session(
            transport,
            venue=venue,
            publisher=Publisher(venue.markets, options, counters),
            counters=counters,
            options=options,
        )
        act(session)
        await asyncio.sleep(0)
        assert server_side.fileno() == -1

    asyncio.run(run())
    client_side.close()
    return counters


FRAME = text_frame(b"x" * 10_000)


def test_a_reader_that_does_not_keep_up_is_cut_off_and_costs_no_more_than_its_backlog():
    def flood(session):
        for _ in range(1_000):
            session.deliver(FRAME)

    counters = with_a_reader_that_does_not_read(flood)

    assert counters.too_slow == 1
    # What filled the backlog and the kernel's buffer; the rest was never sent.
    sent_bytes = counters.deliveries * len(FRAME)
    most_bytes = ExchangeOptions().slow_consumer_bytes
    assert most_bytes < sent_bytes < 1.5 * most_bytes


@pytest.mark.parametrize(
    "bound", [{"slow_consumer_bytes": 100_000}, {"slow_consumer_messages": 50}]
)
def test_a_client_that_reads_on_too_late_finds_the_code_behind_what_waited(exchange, ask, bound):
    client = exchange(
        updates_per_s=0.001, instruments=1, takes_faults=True, slow_consumer_code=4008, **bound
    )
    with socket.socket() as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        receiver.settimeout(TIMEOUT_S)
        receiver.connect(("127.0.0.1", int(client.http.rsplit(":", 1)[1])))
        connection = websocket.create_connection(client.ws, socket=receiver)
        ask(connection, "public/subscribe", channels=["ticker.BTC-PERPETUAL.raw"])
        burst = {"kind": "burst", "updates": 10_000}
        assert requests.post(f"{client.http}/faults", json=burst, timeout=TIMEOUT_S).ok
        client.status_once(lambda status: status["too_slow"] == 1)
        came = 0
        while (frame := connection.recv_frame()).opcode == websocket.ABNF.OPCODE_TEXT:
            came += 1

    assert (websocket.ABNF.OPCODE_CLOSE, 4008) == (
        frame.opcode,
        int.from_bytes(frame.data[:2], "big"),
    )
    assert b"slow consumer" == frame.data[2:]
    assert 50 < came < 10_000


def test_closing_does_not_wait_for_a_reader_that_does_not_read():
    def fill_and_close(session):
        for _ in range(20):
            session.deliver(FRAME)
        session.close(4000, "heartbeat close")
        session.deliver(FRAME)

    assert with_a_reader_that_does_not_read(fill_and_close).deliveries == 20


def test_costs_are_paid_for_each_update(exchange, ask, pushed):
    client = exchange(cpu_per_message_us=30_000.0, updates_per_s=0.001)
    connection = client.connect()
    ask(connection, "public/subscribe", channels=[BOOK, TICKER])
    book, ticker = (notice["data"] for notice in pushed(connection, 2))

    assert ticker["timestamp"] - book["timestamp"] >= 29


def test_a_connection_that_leaves_leaves_nothing_behind(exchange, ask):
    client = exchange()
    connection = client.connect()
    ask(connection, "public/subscribe", channels=[BOOK, TICKER])
    ask(connection, "public/set_heartbeat", interval=10)
    connection.close()
    status = client.status_once(lambda status: not status["open_connections"])

    assert (status["subscriptions"], status["accepted"]) == (0, 1)
    assert requests.get(f"{client.http}/api/v2/public/test", timeout=30).ok
