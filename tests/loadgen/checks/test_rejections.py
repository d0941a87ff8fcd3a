import pytest

from capacity.loadgen.checks.rejections import answer_remedy, handshake_remedy, request_remedy


@pytest.mark.parametrize(
    ("reason", "helps"),
    [
        ("handshake_rejected_401", "credentials"),
        ("handshake_rejected_403", "credentials"),
        ("handshake_rejected_403", "the path in ws.url"),
        ("handshake_rejected_404", "the path in ws.url"),
        ("handshake_rejected_301", "no redirect is followed"),
        ("handshake_rejected_418", "the target rejects it"),
        ("handshake_rejected_429", "rate limit"),
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
