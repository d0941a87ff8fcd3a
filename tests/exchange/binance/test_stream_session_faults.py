"""What goes wrong on demand, on connections in Binance's dialect."""

import json
import signal
import socket
import subprocess
import sys
from itertools import pairwise

import pytest
import requests
import websocket
from websockets.sync.client import connect

TEXT, CLOSE, PING = (
    websocket.ABNF.OPCODE_TEXT,
    websocket.ABNF.OPCODE_CLOSE,
    websocket.ABNF.OPCODE_PING,
)
TIMEOUT_S = 20.0
SILENT_S = 0.3
DEPTH = "btcusdt@depth@100ms"
RAW, COMBINED = f"/ws/{DEPTH}", f"/stream?streams={DEPTH}"
FORMS = pytest.mark.parametrize("path", [RAW, COMBINED], ids=["raw", "combined"])


@pytest.fixture(name="client")
def fixture_client(exchange):
    return exchange(updates_per_s=50.0, instruments=1, takes_faults=True)


def order(client, **fault):
    answer = requests.post(f"{client.http}/faults", json=fault, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    return answer.json()["connections"]


def are_gapless(events):
    contents = [event.get("data", event) for event in events]
    return all(after["U"] == before["u"] + 1 for before, after in pairwise(contents))


@FORMS
def test_a_stall_holds_updates_back_and_none_is_lost(client, open_streams, told, path):
    connection = open_streams(client, path)
    events = told(connection, 1)
    order(client, kind="stall", for_s=0.5)
    connection.send('{"method":"LIST_SUBSCRIPTIONS","id":7}')
    while "id" not in (answer := told(connection, 1)[0]):
        events.append(answer)
    answered_after = len(events)
    events += told(connection, 10)

    assert [DEPTH] == answer["result"]
    assert answered_after <= 2
    assert are_gapless(events)
    assert 0 == client.status()["withheld"]


@FORMS
def test_a_half_open_connection_brings_nothing_and_answers_nothing(
    exchange, open_streams, told, path
):
    client = exchange(updates_per_s=50.0, instruments=1, takes_faults=True, ping_s=0.05, pong_s=0.1)
    connection = open_streams(client, path)
    told(connection, 1)
    assert 1 == order(client, kind="half_open")
    connection.send('{"method":"LIST_SUBSCRIPTIONS","id":7}')
    connection.ping("there?")
    connection.settimeout(SILENT_S)
    came = []
    with pytest.raises(websocket.WebSocketTimeoutException):
        came.extend(iter(connection.recv_frame, None))
    client.status_once(lambda status: status["withheld"] > 0)

    assert {TEXT, PING} >= {frame.opcode for frame in came}
    assert not any(b'"id"' in frame.data for frame in came)
    assert 1 == client.status()["open_connections"]


def test_a_burst_tells_every_move_at_once(exchange, open_streams, told):
    client = exchange(updates_per_s=0.001, instruments=1, takes_faults=True)
    streams = (DEPTH, "btcusdt@trade")
    connection = open_streams(client, f"/stream?streams={'/'.join(streams)}")
    connection.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
    told(connection, 1)
    assert 1 == order(client, kind="burst", updates=25)
    events = told(connection, 50)
    depth, trades = ([e["data"] for e in events if e["stream"] == each] for each in streams)

    assert (25, True) == (len(depth), are_gapless(depth))
    assert 25 == len({trade["t"] for trade in trades})


@pytest.mark.parametrize("code", [None, 4008])
@pytest.mark.parametrize("is_spoiled", [False, True])
def test_a_client_that_does_not_read_is_ended(exchange, code, is_spoiled):
    client = exchange(
        updates_per_s=0.001,
        instruments=1,
        takes_faults=True,
        slow_consumer_code=code,
        slow_consumer_messages=50,
    )
    with socket.socket() as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        receiver.settimeout(TIMEOUT_S)
        receiver.connect(("127.0.0.1", int(client.http.rsplit(":", 1)[1])))
        streams = "/".join(f"btcusdt@{kind}" for kind in ("ticker", "trade", "aggTrade"))
        url = client.http.replace("http", "ws") + f"/stream?streams={streams}"
        connection = websocket.create_connection(url, socket=receiver)
        client.status_once(lambda status: status["subscriptions"] == 3)
        if is_spoiled:  # By a fault that is over.
            order(client, kind="skip", updates=1)
        order(client, kind="burst", updates=10_000)
        client.status_once(lambda status: status["too_slow"] == 1)
        came = 0
        end = None
        try:
            while (frame := connection.recv_frame()).opcode == TEXT:
                came += 1
            end = int.from_bytes(frame.data[:2], "big")
        except (OSError, websocket.WebSocketException):
            pass

    assert code == end
    assert 50 < came < 30_000


def closing_frame(connection, answer):
    """Return the frame that ends the connection; *answer* is called with each ping's payload."""
    while (frame := connection.recv_frame()).opcode != CLOSE:
        if frame.opcode == PING:
            answer(frame.data)
    return frame


@pytest.mark.parametrize("answer", [None, b"", b"0"], ids=["none", "empty", "another"])
def test_who_does_not_answer_a_ping_with_its_payload_is_closed(exchange, open_streams, answer):
    client = exchange(instruments=1, ping_s=0.1, pong_s=0.3)
    connection = open_streams(client, RAW)
    frame = closing_frame(connection, lambda _: None if answer is None else connection.pong(answer))

    assert (1008).to_bytes(2, "big") + b"Pong timeout" == frame.data


def test_who_copies_the_payload_of_pings_stays(exchange, open_streams):
    client = exchange(updates_per_s=0.001, instruments=1, ping_s=0.1, pong_s=0.15)
    connection = open_streams(client, RAW)
    for _ in range(5):
        frame = connection.recv_frame()
        assert (PING, True) == (frame.opcode, bool(frame.data))
        connection.pong(frame.data)

    assert 1 == client.status()["open_connections"]


@FORMS
@pytest.mark.parametrize("code", [1001, 1012])
def test_a_planned_shutdown_is_told_as_the_venue_does_served_on_and_closed(path, code):
    command = [sys.executable, "-m", "capacity.cli.main", "exchange", "--port=0"]
    options = ["--shutdown-notice-s=0.5", f"--shutdown-code={code}", "--updates-per-s=50"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        port = process.stderr.readline().strip().rsplit(":", 1)[1]
        connection = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=TIMEOUT_S)
        connection.recv()
        process.send_signal(signal.SIGTERM)
        frames = []
        while (frame := connection.recv_frame()).opcode == TEXT:
            frames.append(json.loads(frame.data))
        connection.shutdown()
    is_notice = ["serverShutdown" in json.dumps(told) for told in frames]
    notice = frames[is_notice.index(True)]

    assert 1 == sum(is_notice)
    assert not is_notice[-1]
    assert ("!serverShutdown" if path == COMBINED else None) == notice.get("stream")
    assert {"e", "E"} == notice.get("data", notice).keys()
    assert (CLOSE, code) == (frame.opcode, int.from_bytes(frame.data[:2], "big"))


@FORMS
def test_who_offers_compression_is_sent_compressed_frames_beside_who_does_not(
    exchange, open_streams, told, path
):
    client = exchange(compresses=True, updates_per_s=50.0, instruments=1, takes_faults=True)
    plain = open_streams(client, path)
    url = client.http.replace("http", "ws") + path
    with connect(url, compression="deflate", open_timeout=TIMEOUT_S) as offering:
        assert "permessage-deflate" in offering.response.headers["Sec-WebSocket-Extensions"]
        seen = [json.loads(offering.recv(TIMEOUT_S)) for _ in range(5)]
        order(client, kind="stall", for_s=0.3)
        seen += [json.loads(offering.recv(TIMEOUT_S)) for _ in range(5)]
    beside = told(plain, 10)

    assert are_gapless(seen)
    assert are_gapless(beside)
    assert {json.dumps(event) for event in seen} & {json.dumps(event) for event in beside}
