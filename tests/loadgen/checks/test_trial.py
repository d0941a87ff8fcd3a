"""One connection and one request, to the real exchange and to servers that answer otherwise."""

import re
import runpy
import socket
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import yaml

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.loadgen.checks import trial
from capacity.loadgen.checks.not_confirmed import NotConfirmedError
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation, try_private
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

FOLDER = Path(__file__).parents[1]
TLS = runpy.run_path(str(FOLDER / "tls_target.py"))
ConnectProxy = runpy.run_path(str(FOLDER / "connect_proxy.py"))["ConnectProxy"]
DIALECT = load_dialect(find("dialects", "deribit"))


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
    assert heard.seconds >= 0.5, "it listens for as long as it was asked to, not until the first"
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


def test_the_exchange_is_heard_over_tls_and_compressed(start_exchange, target_file, tmp_path):
    venue = start_exchange("--deflate", f"--tls={tmp_path}", "--updates-per-s=20")
    certificates = {"ca_file": str(tmp_path / "certificate.pem")}
    target = target_file(venue, tls=True, certificates=certificates)
    compressing = replace(DIALECT, ws=replace(DIALECT.ws, compression="deflate"))
    heard = try_conversation(target, compressing, subscriptions=2, listen_s=0.5).heard

    assert 0 < heard.updates == heard.timed
    assert (0, 0) == (heard.unmatched, heard.missed)


class Saboteur:
    """Orders a fault of an exchange as soon as it is heard."""

    def __init__(self, venue, fault):
        self._url, self._fault = f"{venue.url}/faults", fault

    def sent(self, text):
        """What is said is of no interest."""

    def heard(self, message, receptions):
        if self._fault is not None and any(each.updates for each in receptions):
            assert 1 == requests.post(self._url, json=self._fault, timeout=10).json()["connections"]
            self._fault = None


@pytest.mark.parametrize(
    ("fault", "missed", "is_silent"),
    [
        ({"kind": "skip"}, 1, False),
        ({"kind": "half_open"}, 0, True),
        ({"kind": "stall", "for_s": 60}, 0, True),
    ],
)
def test_faults_of_a_venue_are_heard_by_one_connection(
    start_exchange, target_file, fault, missed, is_silent
):
    venue = start_exchange("--takes-faults", "--updates-per-s=50")
    heard = try_conversation(
        target_file(venue, channels=["book"]),
        DIALECT,
        listen_s=1.0,
        watcher=Saboteur(venue, fault),
    ).heard

    assert missed == heard.missed
    # What came before the fault was done; ten updates a second would follow.
    assert heard.updates <= 3 or not is_silent


@pytest.fixture
def private_dialect(tmp_path):
    """The dialect with what the page on the exchange adds to it for private channels."""
    text = (Path(__file__).parents[3] / "docs" / "bundled-exchange.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    added = yaml.safe_load(next(block for block in blocks if "opening:" in block))
    document = yaml.safe_load(find("dialects", "deribit").read_text())
    document |= added | {"channels": document["channels"] | added["channels"]}
    document["subscribe"]["send"]["method"] = "private/subscribe"
    file = tmp_path / "private.yaml"
    file.write_text(yaml.safe_dump(document))
    return load_dialect(file)


@pytest.mark.parametrize("is_right", [True, False])
def test_private_channels_are_confirmed_after_a_login_that_the_venue_takes(
    start_exchange, target_file, private_dialect, tmp_path, is_right
):
    clients = tmp_path / "clients.yaml"
    clients.write_text("credentials: 1\nclients: {demo: secret}\n")
    venue = start_exchange(f"--credentials={clients}")
    values = {"client_id": "demo", "client_secret": "secret" if is_right else "guessed"}
    target = target_file(venue, channels=["my_orders"], rest=None, values=values)
    if is_right:
        assert 0 == try_conversation(target, private_dialect, subscriptions=2).heard.unmatched
        return
    with pytest.raises(UnreachableError, match=r"13004 invalid_credentials.*; correct the values"):
        try_conversation(target, private_dialect)


def test_a_venue_that_bans_us_says_for_how_long(start_exchange, target_file):
    venue = start_exchange("--credits-per-s=0.001", "--credits-burst=10", "--ban-after=1")
    target = target_file(venue)
    said = []
    for _ in range(14):  # Ten of them have their credits.
        try:
            try_conversation(target, DIALECT)
        except UnreachableError as error:
            said.append(str(error))

    assert re.search(r"10028 too_many_requests\); set ws\.requests_per_s in the dialect", said[0])
    assert re.search(
        r"rejected_418.*banned for 1\d\d s.*; wait as long as the target says", said[-1]
    )


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


def test_who_is_not_to_listen_has_no_rate_and_without_tls_there_is_no_certificate(
    exchange, target_file
):
    found = try_conversation(target_file(exchange), DIALECT)

    assert (None, None) == (found.updates_per_s, found.certificate_ends_at)
    assert 0 == found.heard.unmatched


PRIVATE = load_dialect(find("dialects", "okx-private"))


def test_a_client_logs_in_on_its_private_connection_and_hears_its_balance(okx_target):
    trial = try_private(okx_target(), PRIVATE, listen_s=1.0)

    assert trial.opened_s > 0
    assert (1, 0) == (trial.heard.updates, trial.heard.unmatched)


def test_a_refused_login_says_which_connection_and_what_the_target_said(okx_target):
    with pytest.raises(
        UnreachableError, match=r"^private connection: .*/ws/v5/private.*60009 Login failed"
    ):
        try_private(okx_target(passphrase="wrong"), PRIVATE)


@pytest.mark.parametrize(
    ("asked", "refused", "why", "is_cap"),
    [
        (9, 8, "limit reached", True),
        (10, 9, "limit reached", False),
        (2, 1, "limit reached", True),
        (1, 1, "limit reached", False),
        (9, 8, "too many requests", False),
    ],
)
def test_up_to_eight_refused_channels_that_are_confirmed_alone_are_a_cap(
    target_file, exchange, monkeypatch, asked, refused, why, is_cap
):
    tried = []

    def confirm_one(_target, _dialect, channels, _listen_s, _watcher):
        tried.append(len(channels))
        if len(channels) == asked:
            raise NotConfirmedError("refused", "ws://x/", why, channels[-refused:])

    monkeypatch.setattr(trial, "_tried", confirm_one)
    monkeypatch.setattr(trial, "channels_of", lambda *_: [f"c{n}" for n in range(asked)])
    with pytest.raises(UnreachableError) as raised:
        try_conversation(target_file(exchange), DIALECT, subscriptions=asked)

    assert is_cap is (f"does not take {asked} subscriptions" in str(raised.value))
    assert [asked, *[1] * (refused if is_cap else 0)] == tried


def test_a_channel_that_is_refused_alone_as_well_is_no_cap(target_file, exchange, monkeypatch):
    def refuse(_target, _dialect, channels, _listen_s, _watcher):
        if channels != ["b"]:
            raise NotConfirmedError("refused", "ws://x/", "no such channel", channels)

    monkeypatch.setattr(trial, "_tried", refuse)
    monkeypatch.setattr(trial, "channels_of", lambda *_: ["a", "b"])
    with pytest.raises(UnreachableError, match=r"^refused$"):
        try_conversation(target_file(exchange), DIALECT, subscriptions=2)
