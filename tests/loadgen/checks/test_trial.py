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
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation, try_private
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

TRIALS = runpy.run_path(str(Path(__file__).with_name("trials.py")))
DIALECT = TRIALS["DIALECT"]
secured = TRIALS["secured"]


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return SimpleNamespace(host="127.0.0.1", port=listener.getsockname()[1])


def test_a_target_that_confirms_passes(exchange, target_file):
    began_s = time.monotonic()
    found = try_conversation(target_file(exchange), DIALECT)

    assert 0 < found.opened_s <= time.monotonic() - began_s
    assert 0.0 == found.heard.seconds


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
    dialect = load_dialect(find("dialects", "url-subscribe"))
    with pytest.raises(UnreachableError, match="handshake_rejected_404"):
        try_conversation(target_file(exchange, channels=["updates"]), dialect)


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
    clients.chmod(0o600)
    venue = start_exchange(f"--credentials={clients}")
    values = {"client_id": "demo", "client_secret": "secret" if is_right else "guessed"}
    target = target_file(venue, channels=["my_orders"], rest=None, values=values)
    if is_right:
        assert 0 == try_conversation(target, private_dialect, subscriptions=2).heard.unmatched
        return
    with pytest.raises(UnreachableError, match=r"13004 invalid_credentials.*; correct the values"):
        try_conversation(target, private_dialect)


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


def test_certificates_that_cannot_be_read_are_said_before_anything_is_tried(target_file, tmp_path):
    junk = tmp_path / "ca.pem"
    junk.write_text("junk")
    target = target_file(closed_port(), tls=True, certificates={"ca_file": str(junk)})
    with pytest.raises(ConfigError, match=r"certificates\.ca_file: .*ca\.pem"):
        try_conversation(target, DIALECT)


PRIVATE = load_dialect(find("dialects", "okx-private"))


def test_a_client_logs_in_on_its_private_connection_and_hears_its_balance(okx_target):
    trial = try_private(okx_target(), PRIVATE, listen_s=1.0)

    assert trial.opened_s > 0
    assert (1, 0) == (trial.heard.updates, trial.heard.unmatched)


def test_a_refused_login_says_which_connection_and_what_the_target_said(okx_target):
    with pytest.raises(
        UnreachableError,
        match=r"^private connection: .*/ws/v5/private.*60009 Login failed.*"
        r"; correct the values .* for it \(row 1 of .*accounts\.csv\)",
    ):
        try_private(okx_target(passphrase="wrong"), PRIVATE)
