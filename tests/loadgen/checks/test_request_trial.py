"""One REST request before a run."""

import socket
from types import SimpleNamespace

import pytest

from capacity.domain.errors import UnreachableError
from capacity.loadgen.checks.request_trial import try_request
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

DIALECT = load_dialect(find("dialects", "deribit"))


@pytest.fixture
def answering(serve, target_file):
    """Return the target file of a server that answers every request with this status and header."""

    def answering_with(status, *headers):
        def answer(_environ, start_response):
            start_response(status, list(headers))
            return []

        _scheme, host, port = serve(answer).split(":")
        return target_file(SimpleNamespace(host=host.strip("/"), port=int(port)))

    return answering_with


def test_a_request_that_succeeds_passes(exchange, target_file):
    assert try_request(target_file(exchange), DIALECT) is None


def test_binance_is_asked_for_a_symbol_in_big_letters_that_its_streams_have_in_small_ones(
    exchange, target_file
):
    binance = {"dialect": "binance", "symbols": ["btcusdt"], "channels": ["depth"]}
    target = target_file(exchange, **binance, rest={"operation": "depth"})

    assert try_request(target, load_dialect(find("dialects", "binance"))) is None


@pytest.mark.parametrize(
    ("status", "helps"),
    [
        ("301 Moved", "correct http.base"),
        ("401 Unauthorized", "set the credentials"),
        ("404 Not Found", "correct the path"),
        ("500 Internal Server Error", "check the target's log"),
    ],
)
def test_a_request_that_fails_is_said_with_its_status_and_its_own_fix(answering, status, helps):
    with pytest.raises(UnreachableError, match=f"ticker: .* returned {status[:3]}; {helps}"):
        try_request(answering(status), DIALECT)


@pytest.mark.parametrize("letters", [160, 161])
def test_of_a_header_that_says_why_160_letters_are_shown(answering, letters):
    target = answering("401 Unauthorized", ("WWW-Authenticate", "x" * letters))
    with pytest.raises(UnreachableError) as caught:
        try_request(target, DIALECT)

    assert (letters == 160) == (f"(WWW-Authenticate: {'x' * letters})" in str(caught.value))
    assert "x" * 159 in str(caught.value)


def test_a_status_below_300_is_a_success(answering):
    assert try_request(answering("299 Fine"), DIALECT) is None
    with pytest.raises(UnreachableError, match="returned 300;"):
        try_request(answering("300 Multiple Choices"), DIALECT)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            b'{"code":-1100,"msg":"no; small letters"}',
            r' \({"code":-1100,"msg":"no, small letters"}\); ',
        ),
        (b'{"msg":"no key secret-of-demo"}', r' \({"msg":"no key {client_secret}"}\); '),
        (b"<html>Bad Request</html>", "; "),
        (b"", "; "),
    ],
)
def test_what_the_target_says_in_json_of_its_refusal_is_told(serve, target_file, body, told):
    def answer(_environ, start_response):
        start_response("400 Bad Request", [])
        return [body]

    _scheme, host, port = serve(answer).split(":")
    place = SimpleNamespace(host=host.strip("/"), port=int(port))
    target = target_file(place, values={"client_secret": "secret-of-demo"})
    with pytest.raises(UnreachableError, match=f"returned 400{told}"):
        try_request(target, DIALECT)


def test_a_request_without_an_answer_is_said_so(target_file):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(
        UnreachableError, match=r"no answer to the REST request \(request_connect_refused\)"
    ):
        try_request(target_file(SimpleNamespace(host="127.0.0.1", port=port)), DIALECT)
