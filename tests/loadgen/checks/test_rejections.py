import ssl

import pytest

from capacity.loadgen.checks.rejections import (
    answer_remedy,
    handshake_remedy,
    known_trouble,
    refusal_remedy,
    request_remedy,
)
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.http_connection import ExchangeError


@pytest.mark.parametrize(
    ("reason", "helps"),
    [
        ("handshake_rejected_401", "credentials"),
        ("handshake_rejected_403", "credentials"),
        ("handshake_rejected_403", "the path in ws.url"),
        ("handshake_rejected_404", "the path in ws.url"),
        ("handshake_rejected_301", "no redirect is followed"),
        ("handshake_rejected_409", "the target rejects it"),
        ("handshake_rejected_418", "as long as the target says"),
        ("handshake_rejected_429", "rate limit"),
        ("handshake_rejected_400", "ws.url, headers and subprotocols"),
        ("handshake_rejected_421", "Host in headers"),
        ("handshake_rejected_426", "requires another protocol"),
        ("handshake_rejected_503", "has room"),
        ("handshake_rejected_499", "correct ws.url and what else"),
        ("handshake_rejected_399", "no redirect is followed"),
        ("handshake_value_rejected_404", "correct the path of rest.operation"),
        ("handshake_rejected_500", "the target's log"),
        ("connect_refused", "start the target"),
        ("connect_timeout", "open the firewall"),
        ("connect_reset", "tls: true"),
        ("dns_failed", "does not resolve"),
        ("handshake_invalid", "does not speak WebSocket"),
        ("generator_descriptors", "ulimit -n"),
        ("of another kind", "host, port and dialect"),
    ],
)
def test_each_way_that_a_handshake_fails_has_its_own_fix(reason, helps):
    assert helps in handshake_remedy(reason)


@pytest.mark.parametrize(
    ("status", "helps"),
    [
        (400, "query and body of rest.operation"),
        (421, "Host in headers"),
        (503, "has room"),
        (499, "correct http.base and what else"),
        (500, "the target's log"),
        (399, "no redirect is followed"),
        (401, "credentials"),
        (403, "credentials"),
        (404, "correct the path of rest.operation"),
        (405, "method"),
        (422, "query and body"),
        (302, "no redirect is followed"),
        (410, "the target rejects it"),
        (429, "rate limit"),
        (502, "the target's log"),
    ],
)
def test_each_answer_that_is_no_success_has_its_own_fix(status, helps):
    assert helps in answer_remedy(status)


@pytest.mark.parametrize(
    ("reason", "helps"),
    [
        ("request_connect_refused", "start the target"),
        ("request_dns_failed", "does not resolve"),
        ("request_timeout", "did not respond in time"),
        ("request_invalid", "does not speak HTTP"),
        ("request_cut_short", "rest.operation"),
    ],
)
def test_each_way_that_no_answer_comes_has_its_own_fix(reason, helps):
    assert helps in request_remedy(reason)


@pytest.mark.parametrize(
    ("told", "helps"),
    [
        ("refused: 4 too many subscriptions", "subscriptions_per_connection"),
        ("exceeds the maximum number of channels", "subscriptions_per_connection"),
        ("args size >10: topics limit reached", "subscriptions_per_connection"),
        ("rate limit exceeded, slow down", "ws.requests_per_s"),
        ("10028 too_many_requests", "ws.requests_per_s"),
        ("login required", "opening"),
        ("unknown channel", "channels and symbols"),
    ],
)
def test_each_refusal_has_its_own_fix_by_its_words(told, helps):
    assert helps in refusal_remedy(told)


def test_a_ban_is_told_by_its_words_whatever_its_status():
    assert "ask it less often" in handshake_remedy("handshake_rejected_403", "403: IP banned")
    assert "credentials" in handshake_remedy("handshake_rejected_403", "403: urban area")


def failed(kind, reason, cause=None, **known):
    error = kind(reason)
    error.__cause__ = cause
    for name, value in known.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (failed(HandshakeError, "tls_failed"), "no TLS on this port"),
        (failed(ExchangeError, "tls_client_certificate"), "rejects our client certificate"),
        (failed(HandshakeError, "proxy_rejected_403"), "the proxy rejects the connection"),
        (
            failed(HandshakeError, "connect_timeout", is_connected=True),
            "did not answer the handshake within 7 s",
        ),
        (failed(HandshakeError, "connect_timeout", is_connected=False), None),
        (failed(ExchangeError, "connect_timeout"), None),
        (failed(HandshakeError, "connect_refused", is_connected=True), None),
        (
            failed(
                HandshakeError,
                "x",
                failed(ssl.SSLCertVerificationError, "x", verify_message="self-signed"),
            ),
            "certificate is not accepted (x: self-signed)",
        ),
    ],
)
def test_trouble_on_the_way_to_the_target_is_told(error, said):
    told = known_trouble(error, 7.0)

    assert told is None if said is None else said in told


@pytest.mark.parametrize(
    ("text", "helps"),
    [
        ("Too many requests", "ws.requests_per_s"),
        ("please log in", "opening of the dialect"),
        ("Not authenticated", "opening of the dialect"),
        ("no such channel", "channels and symbols"),
    ],
)
def test_a_refused_subscription_has_its_fix_by_its_words(text, helps):
    assert helps in refusal_remedy(text)
