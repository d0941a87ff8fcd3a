import gc
import resource
import time

import psutil
import pytest
import requests
import websocket

from capacity.domain.errors import PreflightError
from capacity.exchange.app import limit_descriptors


def test_the_cap_of_connections_holds_until_one_leaves(exchange):
    client = exchange(max_connections=2)
    first, _ = client.connect(), client.connect()
    with pytest.raises(websocket.WebSocketBadStatusException, match="503") as caught:
        client.connect()
    assert caught.value.status_code == 503

    first.close()
    client.status_once(lambda status: status["open_connections"] == 1)
    client.connect()
    status = client.status()

    assert (status["accepted"], status["refused"], status["open_connections"]) == (3, 1, 2)


def test_a_request_that_is_no_upgrade_is_refused_and_not_counted(exchange):
    client = exchange()
    reply = requests.get(f"{client.http}/ws/api/v2", timeout=30)

    assert reply.status_code == 400
    assert client.status()["open_connections"] == client.status()["accepted"] == 0


def test_compression_is_never_negotiated(exchange):
    client = exchange()
    connection = websocket.create_connection(
        client.ws, header=["Sec-WebSocket-Extensions: permessage-deflate"], timeout=5
    )
    headers = connection.getheaders()
    connection.shutdown()

    assert "sec-websocket-extensions" not in headers


def test_state_is_held_while_the_connection_is_open(exchange):
    size_bytes = 64 << 20  # Beside it, what the test process returns meanwhile is small.
    client = exchange(state_bytes=size_bytes)
    client.status()
    before_bytes = resident_bytes()
    connection = client.connect()
    client.status_once(lambda status: status["accepted"])
    held_bytes = resident_bytes() - before_bytes
    connection.shutdown()
    client.status_once(lambda status: not status["open_connections"])

    assert size_bytes * 0.95 < held_bytes < size_bytes * 1.1
    assert becomes_true(lambda: resident_bytes() - before_bytes < size_bytes * 0.1)


def becomes_true(condition, patience_s=5.0):
    """The handler's last references go a moment after the connection is counted as closed."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        gc.collect()
        time.sleep(0.05)
    return True


def resident_bytes():
    return psutil.Process().memory_info().rss


def test_more_descriptors_than_the_hard_limit_are_refused():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    with pytest.raises(PreflightError, match=f"may have at most {hard}"):
        limit_descriptors(hard + 1)
