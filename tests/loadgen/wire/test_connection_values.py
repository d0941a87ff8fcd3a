"""What the templates of one connection may hold."""

import itertools
import json
import time

import pytest

from capacity.loadgen.wire.connection_values import ConnectionValues, at_this_moment
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.settings.dialect import parse
from capacity.settings.target import Target

DIALECT = {
    "dialect": 1,
    "name": "keyed",
    "ws": {"url": "{scheme}://{host}:{port}/{token}"},
    "http": {"base": "{scheme}://{host}:{port}"},
    "needs": ["token"],
    "channels": {"a": {"wire": "a"}},
    "data": {"where": {}},
    "rest": {"token": {"path": "/token", "method": "POST", "headers": {"X-Key": "k"}}},
}
BY_REQUEST = {"operation": "token", "path": "data.token"}


def values(token, url="http://127.0.0.1:1", **sharing):
    host, port = url.removeprefix("http://").split(":")
    target = Target.model_validate(
        {
            "target": 1,
            "name": "keyed",
            "host": host,
            "port": int(port),
            "dialect": "keyed.yaml",
            "channels": ["a"],
            "values": {"token": token},
        }
    )
    return ConnectionValues(target, parse(DIALECT), itertools.repeat(None), **sharing)


@pytest.fixture
def rows(tmp_path):
    file = tmp_path / "tokens.csv"
    file.write_text("token\n" + "".join(f"t{n}\n" for n in range(4)))
    return {"rows": str(file)}


def test_all_connections_share_a_text():
    assert {"connection": 7, "token": "t"} == values("t").of(7)


def test_no_two_connections_of_all_workers_have_the_same_row(rows):
    workers = [values(rows, worker=worker, workers=2) for worker in (0, 1)]
    found = [given.of(index) for index in (0, 1) for given in workers]

    assert [0, 1, 2, 3] == [each["connection"] for each in found]
    assert ["t0", "t1", "t2", "t3"] == [each["token"] for each in found]


def test_a_connection_without_a_row_is_the_generator_s_fault(rows):
    given = values(rows)
    given.of(3)
    with pytest.raises(HandshakeError, match=r"^generator_no_row$"):
        given.of(4)


def test_a_value_may_be_asked_for_before_each_connect(serve):
    heard = []

    def hand_out(environ, start_response):
        heard.append((environ["REQUEST_METHOD"], environ.get("HTTP_X_KEY")))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"data": {"token": f"t{len(heard)}"}}).encode()]

    given = values(BY_REQUEST, serve(hand_out))

    assert ["t1", "t2"] == [given.of(index)["token"] for index in (0, 0)]
    assert [("POST", "k")] * 2 == heard


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        ("401 Unauthorized", b"", "handshake_value_rejected_401"),
        ("200 OK", b"<html>", "handshake_value_missing"),
        ("200 OK", b'{"data":{}}', "handshake_value_missing"),
        ("200 OK", b'{"data":{"token":null}}', "handshake_value_missing"),
    ],
)
def test_a_value_that_is_not_handed_out_fails_the_connect(serve, status, body, reason):
    def refuse(_environ, start_response):
        start_response(status, [])
        return [body]

    with pytest.raises(HandshakeError, match=f"^{reason}$"):
        values(BY_REQUEST, serve(refuse)).of(0)


def test_nobody_there_to_ask_fails_the_connect_too():
    with pytest.raises(HandshakeError, match=r"^handshake_value_connect_refused$"):
        values(BY_REQUEST).of(0)


def test_each_request_has_the_time_and_a_nonce_of_its_own():
    at = at_this_moment({"token": "t"})
    before_ms = time.time_ns() // 1_000_000
    first, second = at(), at()

    before_s, now_s, now_ms = before_ms // 1000, time.time(), time.time() * 1000

    assert "t" == first["token"]
    assert before_s <= first["now_s"] <= now_s
    assert before_ms <= first["now_ms"] <= now_ms
    assert first["nonce"] != second["nonce"]
    assert 32 == len(first["nonce"])
