"""Raw clients in Binance's dialect, at a real exchange."""

import json

import pytest
import requests
import websocket

TIMEOUT_S = 60.0


@pytest.fixture(name="get")
def fixture_get():
    def get(client, path, **params):
        return requests.get(f"{client.http}/api/v3/{path}", params=params, timeout=TIMEOUT_S)

    return get


@pytest.fixture(name="open_streams")
def fixture_open_streams():
    opened = []

    def connect(client, path):
        url = client.http.replace("http", "ws") + path
        opened.append(websocket.create_connection(url, timeout=TIMEOUT_S))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.shutdown()


@pytest.fixture(name="told")
def fixture_told():
    def told(connection, count):
        return [json.loads(connection.recv()) for _ in range(count)]

    return told
