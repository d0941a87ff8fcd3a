"""`capacity dialect try` against feeds on loopback."""

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli.dialects import replay
from capacity.cli.dialects.trying import command
from capacity.domain.errors import ConfigError, UnreachableError
from capacity.loadgen.checks import trial


def tried(*arguments):
    return CliRunner().invoke(command, arguments)


def test_each_frame_is_shown_with_what_was_made_of_it_and_counted(feed, described, here):
    result = tried(
        described(), "--url", feed("quiet"), "--seconds", "0.4", "--frames", "2", "--record", "s"
    )

    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert '< {"seq": 1, "ts": ' in lines[0]
    assert "= update of feed, published " in lines[1]
    assert any("counted below (--frames N shows more)" in line for line in lines)
    assert any(line.startswith("ok: updates: ") for line in lines)
    again = CliRunner().invoke(replay.command, ["feed.yaml", "s"])
    assert "NOT UNDERSTOOD" not in again.output
    assert "  feed: " in again.output


def test_the_wrong_dialect_ends_with_the_first_frame_and_what_to_correct(
    feed, described, monkeypatch
):
    monkeypatch.setattr(trial, "TRIAL_S", 0.5)
    result = tried(
        described(data={"where": {"price": {"exists": True}}}),
        "--url",
        feed("quiet"),
        "--seconds",
        "0.2",
    )

    assert isinstance(result.exception, UnreachableError)
    assert "NOT UNDERSTOOD: no rule fits" in result.output
    assert 'none is an update; the first unmatched frame: {"seq": 1' in str(result.exception)


def test_a_partial_subscription_is_refused_by_name(feed, described):
    request = {
        "send": {"id": "{id:int}", "args": "{channels:list}"},
        "ack": {"where": {"id": "{id:int}"}, "ok": {"ok": True}, "accepted": "channels"},
    }
    dialect = described(
        subscribe=request,
        channels={"feed": {"wire": "{symbol}"}},
        data={"where": {"seq": {"exists": True}}, "key": "ch"},
    )
    result = tried(dialect, "--url", feed("partly"), "--symbol", "A", "--symbol", "B")

    assert "REFUSAL: subscribe: 1 of 2 channels refused: B" in result.output
    assert "1 × refused subscribe" in result.output
    assert isinstance(result.exception, UnreachableError)


def test_a_refused_login_is_told_and_its_secret_is_not(feed, described, here):
    described(
        needs=["api_key"],
        opening=[
            {
                "send": {"op": "login", "key": "{api_key}"},
                "answer": {"where": {"event": {"in": ["login", "error"]}}, "ok": {"code": 0}},
            }
        ],
        subscribe={
            "send": {"op": "subscribe", "args": "{channels:list}"},
            "confirm": "first_data",
        },
    )
    host, port = feed("login").removeprefix("ws://").split(":")
    target = {
        "target": 1,
        "name": "t",
        "host": host,
        "port": int(port),
        "dialect": "feed.yaml",
        "channels": ["feed"],
        "values": {"api_key": "wrong-key-1"},
    }
    (here / "t.yaml").write_text(yaml.safe_dump(target), "utf-8")
    result = tried("--target", "./t.yaml", "--record", "s")

    assert "the target refuses what the dialect opens with" in str(result.exception)
    assert '"key":"{api_key}"' in result.output
    assert "wrong-key-1" not in result.output + (here / "s").read_text()


def test_what_is_due_by_itself_is_said(feed, described):
    beat = [{"every_s": 0.1, "send": {"op": "ping"}}]
    result = tried(described(heartbeat=beat), "--url", feed("quiet"), "--seconds", "0.5")

    assert 3 <= result.output.count('> {"op":"ping"}') <= 6


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("deribit",), "give one of --target NAME and --url"),
        (("--url", "ws://h:1"), "--url needs the dialect too"),
        (("deribit", "--url", "ws://h:1", "--channel", "x"), "has no x, it has book, ticker"),
        (("deribit", "--url", "ws://h:1"), "say what that is with --symbol"),
        (("binance-sbe", "--url", "ws://h:1"), "needs api_key; give them in `values`"),
        (
            ("gate", "--url", "ws://h:1", "--channel", "orders"),
            "needs api_key, api_secret; give them in `values`",
        ),
        (("gate", "--url", "ws://h:1", "--channel", "book"), "made of {symbol}; say what that is"),
        (("deribit", "--url", "h:1", "--symbol", "A"), "must be ws://HOST:PORT"),
    ],
)
def test_what_is_missing_is_said_before_anything_connects(here, arguments, wrong):
    result = tried(*arguments)

    assert isinstance(result.exception, ConfigError)
    assert wrong in str(result.exception)
