"""One connection and one request, to the real exchange and to servers that answer otherwise."""

import contextlib
import runpy
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Request,
    TextMessage,
)

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.loadgen.checks import trial
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

FOLDER = Path(__file__).parents[1]
TLS = runpy.run_path(str(FOLDER / "tls_target.py"))
ConnectProxy = runpy.run_path(str(FOLDER / "connect_proxy.py"))["ConnectProxy"]
DIALECT = load_dialect(find("dialects", "deribit"))


@pytest.fixture
def accepting():
    """Start a server that accepts one WebSocket and answers every frame with the same event, or
    the first with bytes without end.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def start(answer):
            thread = threading.Thread(target=converse, args=(listener, answer))
            thread.start()
            stack.callback(thread.join)
            return SimpleNamespace(host="127.0.0.1", port=listener.getsockname()[1])

        yield start


def converse(listener, answer):
    sock, _address = listener.accept()
    peer = WSConnection(ConnectionType.SERVER)
    with sock, contextlib.suppress(OSError):
        while data := sock.recv(65536):
            peer.receive_data(data)
            for event in peer.events():
                if isinstance(event, Request):
                    sock.sendall(peer.send(AcceptConnection()))
                elif isinstance(answer, bytes):
                    while True:
                        sock.sendall(answer)
                elif isinstance(event, TextMessage) and answer is not None:
                    sock.sendall(peer.send(answer))
                    if isinstance(answer, CloseConnection):
                        return
                elif isinstance(event, CloseConnection):
                    return


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return SimpleNamespace(host="127.0.0.1", port=listener.getsockname()[1])


def test_a_target_that_confirms_passes(exchange, target_file):
    began_s = time.monotonic()
    opened_s = try_conversation(target_file(exchange), DIALECT).opened_s

    assert 0 < opened_s <= time.monotonic() - began_s


def test_a_channel_that_the_target_does_not_know_is_named(exchange, target_file):
    target = target_file(exchange, symbols=["NO-SUCH-THING"])
    with pytest.raises(UnreachableError, match=r"refuses ticker\.NO-SUCH-THING\.100ms"):
        try_conversation(target, DIALECT)


def test_no_target_there_is_said_with_its_address(target_file):
    target = target_file(closed_port())
    with pytest.raises(
        UnreachableError, match=rf"ws://127.0.0.1:{target.port}/.*no WebSocket.*connect_refused"
    ):
        try_conversation(target, DIALECT)


def test_what_is_heard_is_kept_with_the_distance_from_now(exchange, target_file):
    trial = try_conversation(target_file(exchange), DIALECT, subscriptions=2, listen_s=0.5)
    heard = trial.heard

    assert heard.updates > 0
    assert (heard.updates, 0) == (heard.timed, heard.unmatched)
    assert {update.channel for update in heard.latest} <= {
        "ticker.BTC-PERPETUAL.100ms",
        "ticker.ETH-PERPETUAL.100ms",
    }
    assert all(abs(each.published_at - each.heard_at) < 5 for each in heard.latest)


def test_a_dialect_that_understands_nothing_listens_on_until_its_time_is_up(
    exchange, target_file, monkeypatch
):
    monkeypatch.setattr(trial, "TRIAL_S", 1.0)
    deaf = replace(DIALECT, data=replace(DIALECT.data, where={"method": "nothing"}))
    heard = try_conversation(target_file(exchange), deaf, listen_s=0.3).heard

    assert 0 == heard.updates < heard.unmatched <= heard.frames
    assert heard.first_unmatched.startswith('{"jsonrpc"')
    assert heard.seconds >= 1.0


def test_a_path_of_another_dialect_is_no_websocket(exchange, target_file):
    dialect = load_dialect(find("dialects", "json-push"))
    with pytest.raises(UnreachableError, match="handshake_rejected_404"):
        try_conversation(target_file(exchange, channels=["updates"]), dialect)


@pytest.fixture(scope="module")
def secured(exchange, tmp_path_factory):
    """The exchange behind TLS: the authority, its certificate's name is exchange.example."""
    authority = TLS["Authority"](tmp_path_factory.mktemp("tls") / "authority")
    server = TLS["fronted"](exchange.port, authority.certificate("DNS:exchange.example"))
    yield SimpleNamespace(host="127.0.0.1", port=server.server_port, authority=authority)
    server.stop(timeout=0)


def test_a_target_behind_tls_passes_with_its_authority_and_name(secured, target_file):
    certificates = {"ca_file": secured.authority.file, "server_name": "exchange.example"}
    target = target_file(secured, tls=True, certificates=certificates)

    trial = try_conversation(target, DIALECT)

    in_three_days_at = time.time() + 3 * 86_400
    assert time.time() < trial.certificate_ends_at < in_three_days_at


@pytest.mark.parametrize(
    ("trusts", "said"),
    [
        (False, r"\(tls_certificate: .*issuer.*\); name the authority .* certificates\.ca_file"),
        (True, r"\(tls_certificate: .*127\.0\.0\.1.*\); .* name .* as certificates\.server_name"),
    ],
    ids=["unknown authority", "another name"],
)
def test_a_certificate_that_is_not_accepted_is_said_with_the_remedy(
    secured, target_file, trusts, said
):
    certificates = {"ca_file": secured.authority.file} if trusts else None
    target = target_file(secured, tls=True, certificates=certificates)
    with pytest.raises(UnreachableError, match=said):
        try_conversation(target, DIALECT)


def test_a_target_that_wants_to_know_who_we_are_says_so(exchange, secured, target_file):
    authority = secured.authority
    certificate = authority.certificate("IP:127.0.0.1")
    server = TLS["fronted"](exchange.port, certificate, client_authority=authority.file)
    place = SimpleNamespace(host="127.0.0.1", port=server.server_port)
    target = target_file(place, tls=True, certificates={"ca_file": authority.file})
    with pytest.raises(
        UnreachableError, match=r"our client certificate .*client_certificate_file, with"
    ):
        try_conversation(target, DIALECT)
    server.stop(timeout=0)


@pytest.mark.parametrize(
    ("certificates", "said"),
    [
        (None, r"\(tls_certificate: .*issuer.*\); name the authority .* certificates\.ca_file"),
        ({"server_name": "exchange.example"}, r"\(tls_certificate: .*issuer.*\)"),
    ],
)
def test_a_request_trusts_whom_connections_trust(secured, target_file, certificates, said):
    trusted = {"ca_file": secured.authority.file, "server_name": "exchange.example"}
    try_request(target_file(secured, tls=True, certificates=trusted), DIALECT)
    with pytest.raises(UnreachableError, match=f"^https://127.*: .*{said}"):
        try_request(target_file(secured, tls=True, certificates=certificates), DIALECT)


def test_a_request_goes_through_the_proxy(exchange, target_file):
    proxy = ConnectProxy()
    try_request(target_file(exchange, proxy=proxy.url), DIALECT)
    refusing = ConnectProxy(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    with pytest.raises(UnreachableError, match=r"the proxy .*\(proxy_rejected_403\); .*CONNECT"):
        try_request(target_file(exchange, proxy=refusing.url), DIALECT)
    proxy.close()
    refusing.close()

    assert [f"CONNECT 127.0.0.1:{exchange.port} HTTP/1.1"] == [
        asked.partition("\r\n")[0] for asked in proxy.asked
    ]


def test_certificates_that_cannot_be_read_are_said_before_anything_is_tried(target_file, tmp_path):
    junk = tmp_path / "ca.pem"
    junk.write_text("junk")
    target = target_file(closed_port(), tls=True, certificates={"ca_file": str(junk)})
    with pytest.raises(ConfigError, match=r"certificates\.ca_file: .*ca\.pem"):
        try_conversation(target, DIALECT)


def test_tls_with_a_target_that_has_none_is_said_so(exchange, target_file):
    with pytest.raises(
        UnreachableError, match=r"no TLS on this port \(tls_failed\); .*remove tls: true"
    ):
        try_conversation(target_file(exchange, tls=True), DIALECT)


def test_a_proxy_that_does_not_connect_us_is_said_so(exchange, target_file):
    proxy = ConnectProxy(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    with pytest.raises(UnreachableError, match=r"the proxy .*\(proxy_rejected_403\); .*CONNECT"):
        try_conversation(target_file(exchange, proxy=proxy.url), DIALECT)
    proxy.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            None,
            "was not confirmed in dialect deribit .*in time, 0 other frames came\\); correct dialect",
        ),
        (
            TextMessage(data='{"hello": 1}'),
            'was not confirmed .* 2 other frames came, the first: {"hello": 1}.; correct .*ack',
        ),
        (TextMessage(data="no \x1b[2J"), "was not confirmed .* the first: not JSON: no \ufffd.2J"),
        (
            BytesMessage(data=b"\x1f\x8b\x08\xff"),
            "the first: packed by gzip .*: 4 bytes: 1f 8b 08 ff.; set messages.packing .* to gzip",
        ),
        (CloseConnection(code=1000), "was not confirmed .*closed it with 1000 without a reason"),
        (
            CloseConnection(code=4403, reason="plan allows 0 streams"),
            "closed it with 4403 'plan allows 0 streams', 0 other .*; use credentials",
        ),
    ],
    ids=["silence", "another protocol", "junk", "packed", "hangs up", "not allowed"],
)
def test_a_target_that_does_not_confirm_is_given_up(
    accepting, target_file, monkeypatch, answer, said
):
    monkeypatch.setattr(trial, "TRIAL_S", 0.3)
    with pytest.raises(UnreachableError, match=said):
        try_conversation(target_file(accepting(answer)), DIALECT)


def test_a_target_that_talks_without_end_is_given_up_in_time(accepting, target_file, monkeypatch):
    monkeypatch.setattr(trial, "TRIAL_S", 0.3)
    with (
        gevent.Timeout(30),
        pytest.raises(UnreachableError, match=r"not confirmed .* \d+,\d{3} other frames"),
    ):
        try_conversation(target_file(accepting(b"\x81\x02{}" * 100)), DIALECT)


def test_a_target_that_breaks_the_protocol_is_told_so(accepting, target_file):
    with pytest.raises(UnreachableError, match="message_too_big, 0 other frames came"):
        try_conversation(target_file(accepting(b"\x82\x7f" + b"\xff" * 8)), DIALECT)
