"""What the templates of one connection may hold."""

import base64
import itertools
import json
import time

import pytest

from capacity.loadgen.wire.connection_values import ConnectionValues, at_this_moment, moment
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
        ("300 Multiple Choices", b"", "handshake_value_rejected_300"),
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


def test_any_answer_of_success_hands_a_value_out(serve):
    def accept(_environ, start_response):
        start_response("299 Fine", [])
        return [b'{"data":{"token":"t"}}']

    assert "t" == values(BY_REQUEST, serve(accept)).of(0)["token"]


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


def test_microseconds_grow_from_use_to_use_and_are_of_the_same_moment():
    seen = [moment() for _ in range(1000)]
    us = [one["now_us"] for one in seen]

    assert us == sorted(set(us))
    assert all(one["now_ms"] // 1000 == one["now_s"] for one in seen)
    assert us[0] // 1_000_000 - seen[0]["now_s"] in {0, 1}


def test_while_the_clock_stands_still_microseconds_grow_by_one(monkeypatch):
    at_us = moment()["now_us"] + 1_000_000
    monkeypatch.setattr(time, "time_ns", lambda: at_us * 1000)

    assert [at_us, at_us + 1, at_us + 2] == [moment()["now_us"] for _ in range(3)]


def logged_in(serve, rows, answered, **needs):
    """Return the values of a target whose REST login takes user and password of a row, and what it heard."""
    heard = []

    def log_in(environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        heard.append((environ["PATH_INFO"], environ["QUERY_STRING"], json.loads(body or b"null")))
        start_response("200 OK", [])
        return [json.dumps(answered(heard)).encode()]

    host, port = serve(log_in).removeprefix("http://").split(":")
    described = DIALECT | {
        "needs": ["user", "password", "token", "account", "key"],
        "rest": {
            "login": {
                "path": "/login/{user}",
                "method": "POST",
                "query": {"n": "{connection}"},
                "body": {"user": "{user}", "password": "{password}"},
            },
            "key": {"path": "/key", "method": "POST", "body": {"token": "{token}"}},
        },
    }
    given = {
        "user": {"rows": rows, "column": "user"},
        "password": "p",
        "token": {"operation": "login", "path": "token"},
        "account": {"operation": "login", "path": "account"},
        "key": {"operation": "key", "path": "key"},
    }
    target = Target.model_validate(
        {
            "target": 1,
            "name": "keyed",
            "host": host,
            "port": int(port),
            "dialect": "keyed.yaml",
            "channels": ["a"],
            "values": given | needs,
        }
    )
    return ConnectionValues(target, parse(described), itertools.repeat(None)), heard


def test_each_connection_logs_in_as_the_user_of_its_row_once_and_asks_on_with_its_token(
    serve, tmp_path
):
    (tmp_path / "users.csv").write_text("user\nann\nbob b\n")
    given, heard = logged_in(
        serve,
        str(tmp_path / "users.csv"),
        lambda heard: {"token": f"t{len(heard)}", "account": 7, "key": "k"},
    )
    found = given.of(1)

    assert {"user": "bob b", "token": "t1", "account": 7, "key": "k"}.items() <= found.items()
    assert [
        ("/login/bob b", "n=1", {"user": "bob b", "password": "p"}),
        ("/key", "", {"token": "t1"}),
    ] == heard


def test_a_handshake_may_hold_a_token_that_is_signed_for_its_connection():
    signatures = {
        "tok": {
            "function": "jwt_hs256",
            "key": "{token}",
            "claims": {"sub": "u{connection}", "iat": "{now_s}"},
        },
        "other": {"function": "hmac_sha256", "key": "{token}", "text": "{id}"},
    }
    described = DIALECT | {
        "ws": {"url": "ws://{host}:{port}/", "headers": {"Authorization": "Bearer {tok}"}},
        "signatures": signatures,
    }
    target = {"target": 1, "name": "k", "host": "h", "port": 1, "dialect": "k", "channels": ["a"]}
    target = Target.model_validate(target | {"values": {"token": "secret"}})
    given = ConnectionValues(target, parse(described), itertools.repeat(None)).of(3)
    claims = json.loads(base64.urlsafe_b64decode(given["tok"].split(".")[1] + "=="))

    assert ("u3", int) == (claims["sub"], type(claims["iat"]))
    assert "other" not in given
