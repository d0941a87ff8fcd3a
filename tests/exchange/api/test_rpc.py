import time

import orjson
import pytest

from capacity.exchange.api.rpc import (
    RpcError,
    answered,
    invalid_params,
    method_and_params,
    names_param,
    positive_param,
    text_param,
)


def reply_to(request, answer=lambda _: "pong"):
    text = request if isinstance(request, bytes) else orjson.dumps(request)
    is_result, reply = answered(text, answer)
    return is_result, orjson.loads(reply)


@pytest.mark.parametrize("request_id", [1, "1", "auth_7", 1.5, None, 2**53])
def test_the_id_comes_back_as_it_was_sent(request_id):
    _, reply = reply_to({"id": request_id})

    assert (reply["id"], type(reply["id"])) == (request_id, type(request_id))


def test_a_request_without_id_is_answered_without_one():
    _, reply = reply_to({"method": "public/test"})

    assert "id" not in reply


def test_replies_say_when_they_came_and_went():
    before_us = time.time_ns() // 1_000
    _, reply = reply_to({"id": 1}, answer=lambda _: time.sleep(0.01))

    after_us = time.time_ns() // 1_000

    assert before_us <= reply["usIn"] <= reply["usOut"] <= after_us
    assert reply["usDiff"] == reply["usOut"] - reply["usIn"] >= 10_000
    assert (reply["jsonrpc"], reply["testnet"]) == ("2.0", True)


@pytest.mark.parametrize("text", [b"", b"hello", b'{"id":1', b"\xff\xfe"])
def test_what_is_no_json_is_a_bad_request_without_id(text):
    is_result, reply = reply_to(text)

    assert not is_result
    assert reply["error"] == {"code": 11050, "message": "bad_request"}
    assert "id" not in reply


@pytest.mark.parametrize("text", [b"[]", b"7", b'"public/test"', b"null"])
def test_json_that_is_no_object_is_an_invalid_request(text):
    assert reply_to(text)[1]["error"]["code"] == -32600


def test_an_error_carries_its_data_and_the_id():
    def answer(_):
        raise invalid_params("nonce", "invalid format")

    is_result, reply = reply_to({"id": "x"}, answer)

    assert not is_result
    assert reply["id"] == "x"
    assert reply["error"] == {
        "code": -32602,
        "message": "Invalid params",
        "data": {"reason": "invalid format", "param": "nonce"},
    }


@pytest.mark.parametrize("request_", [{}, {"method": 7}, {"method": "m", "params": [1]}])
def test_a_request_needs_a_method_and_named_params(request_):
    with pytest.raises(RpcError) as caught:
        method_and_params(request_)

    assert caught.value.code == -32600


def test_params_may_be_left_out():
    assert method_and_params({"method": "public/test"}) == ("public/test", {})


@pytest.mark.parametrize(("value", "number"), [(2, 2.0), ("2.5", 2.5), (0.1, 0.1)])
def test_numbers_come_as_numbers_or_text(value, number):
    assert positive_param({"amount": value}, "amount") == number


@pytest.mark.parametrize("value", [0, -1, "nan", "inf", "ten", True, [], {}, None])
def test_impossible_numbers_are_refused_by_name(value):
    with pytest.raises(RpcError) as caught:
        positive_param({"amount": value}, "amount")

    assert (caught.value.code, caught.value.data["param"]) == (-32602, "amount")


def test_text_and_names_are_checked():
    assert text_param({}, "label", default="") == ""
    assert names_param({"channels": ["a", "b"]}, "channels") == ["a", "b"]
    for read, value in ((text_param, 7), (names_param, "a"), (names_param, [1])):
        with pytest.raises(RpcError):
            read({"key": value}, "key")
