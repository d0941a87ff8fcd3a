"""What a trial says of targets that refuse: caps, bans, certificates, proxies."""

import re
import runpy
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.domain.errors import UnreachableError
from capacity.loadgen.checks import trial
from capacity.loadgen.checks.not_confirmed import NotConfirmedError
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation

TRIALS = runpy.run_path(str(Path(__file__).with_name("trials.py")))
FOLDER = TRIALS["FOLDER"]
TLS = TRIALS["TLS"]
DIALECT = TRIALS["DIALECT"]
secured = TRIALS["secured"]
ConnectProxy = runpy.run_path(str(FOLDER / "connect_proxy.py"))["ConnectProxy"]


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
