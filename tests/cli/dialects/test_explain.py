"""`capacity dialect explain`."""

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from capacity.cli.dialects.explain import command, explained
from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find, names_of
from capacity.workload.dialects.dialect import Operation, Signature


@pytest.mark.parametrize("name", names_of("dialects"))
def test_every_shipped_dialect_can_be_explained(name):
    result = CliRunner().invoke(command, [name, "--symbol", "BTC"])

    assert result.exit_code == 0, result.output
    assert re.match(r"connect   (wss|https)://HOST:PORT/", result.output)
    assert result.output.isascii() or "…" not in result.output


def test_the_frames_are_those_that_would_be_sent():
    shown = CliRunner().invoke(command, ["okx", "--channel", "books", "--symbol", "A-B"]).output

    assert 'send      {"op":"subscribe","args":[{"channel":"books","instId":"A-B"}]}' in shown
    assert "each 20 s  send ping" in shown
    assert "of the channel named by {arg.channel}:{arg.instId}, read from data" in shown


def test_what_an_answer_of_the_opening_keeps_is_shown_by_its_name():
    okx = load_dialect(find("dialects", "okx-private"))
    (login,) = okx.opening
    subscribe = replace(okx.subscribe, send={"op": "subscribe", "session": "{session}"})
    keeping = replace(
        okx, opening=(replace(login, keep={"session": "connId"}),), subscribe=subscribe
    )
    lines = list(explained(keeping, ("orders",), ("A",)))

    assert 'send      {"op":"subscribe","session":"{session}"}' in lines


def test_needs_are_shown_by_their_names():
    shown = CliRunner().invoke(command, ["binance-sbe", "--symbol", "x"]).output

    assert "header    X-MBX-APIKEY: {api_key}" in shown


def test_a_later_time_is_shown_as_it_is_written_and_a_refusal_beside_the_first_update():
    bybit = CliRunner().invoke(command, ["bybit-private"]).output
    coinbase = CliRunner().invoke(command, ["coinbase-private"]).output

    assert '"args":["{api_key}","{now_ms+10000}","{sign}"]' in bybit
    assert "confirmed by the first update; refused by {type: error}" in coinbase.splitlines()


def test_an_unknown_channel_lists_those_there_are():
    with pytest.raises(ConfigError, match="has no channel x, it has book, ticker"):
        CliRunner().invoke(command, ["deribit", "--channel", "x"], catch_exceptions=False)


def test_signatures_and_what_is_handed_out_are_shown_by_their_names_beside_what_ends_a_subscription():
    shown = CliRunner().invoke(command, ["gate", "--channel", "orders", "--symbol", "A"]).output
    handed_out = CliRunner().invoke(command, ["bitfinex", "--channel", "book"]).output

    assert '"SIGN":"{sign}"' in shown
    assert re.search(r'end       .*"event":"unsubscribe".*"SIGN":"{sign_end}"', shown)
    assert 'end       {"event":"unsubscribe","chanId":"{alias}"}' in handed_out
    assert 'sequence  not updates but {"1": hb}: plus_one 2, of the connection' in handed_out


def test_what_is_signed_for_the_handshake_and_logins_that_hand_out_values_are_shown_by_name():
    described = load_dialect(find("dialects", "deribit"))
    signature = Signature(function="jwt_hs256", key="{secret}", claims={"sub": "{user}"})
    login = Operation(path="/login", method="POST", body={"user": "{user}"})
    lines = explained(
        replace(
            described,
            needs=("user", "secret"),
            ws=replace(described.ws, url="{scheme}://{host}:{port}/?token={tok}"),
            signatures={"tok": signature},
            rest={"login": login},
        ),
        ("book",),
        ("X",),
    )
    shown = list(lines)

    assert "connect   wss://HOST:PORT/?token={tok}" == shown[0]
    assert shown[-1].endswith('/login {"user":"{user}"}')
