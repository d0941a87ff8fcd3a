"""What `capacity dialect try` shows and records of a venue that says back what it was told."""

import runpy
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli.dialects.trying import command
from capacity.domain.errors import UnreachableError

TESTS = Path(__file__).parents[2]
running = runpy.run_path(str(TESTS / "running_programs.py"))["running"]
KEY, SECRET = 'key "of" mine', "secret-of-mine"
DIALECT = {
    "dialect": 1,
    "name": "echo",
    "ws": {"url": "{scheme}://{host}:{port}/ws"},
    "needs": ["api_key", "api_secret"],
    "signatures": {
        "jwt": {"function": "jwt_hs256", "key": "{api_secret}", "claims": {"sub": "{api_key}"}}
    },
    "opening": [
        {
            "send": {"op": "login", "key": "{api_key}", "jwt": "{jwt}"},
            "answer": {
                "where": {"op": "login"},
                "error": {"where": {"event": "error"}, "message": "msg"},
            },
            "keep": {"session": "token"},
        }
    ],
    "channels": {"news": {"wire": "news"}},
    "subscribe": {
        "send": {"op": "subscribe", "session": "{session}", "to": "{channels:list}"},
        "ack": {"where": {"op": "subscribe"}},
    },
    "data": {"where": {"news": {"exists": True}}},
}


@pytest.fixture
def tried(here):
    """Try the dialect at the venue, started as told; return the result and what was recorded."""

    def run(*behaviour):
        Path("echo.yaml").write_text(yaml.safe_dump(DIALECT), "utf-8")
        with running(TESTS / "field" / "echoing_venue.py", *behaviour) as venue:
            target = {
                "target": 1,
                "name": "venue",
                "host": venue.host,
                "port": venue.port,
                "dialect": "echo.yaml",
                "channels": ["news"],
                "values": {"api_key": KEY, "api_secret": {"file": "secret"}},
            }
            Path("secret").write_text(SECRET, "utf-8")
            Path("target.yaml").write_text(yaml.safe_dump(target), "utf-8")
            options = ["--target", "./target.yaml", "--seconds", "0.5", "--record", "session.jsonl"]
            result = CliRunner().invoke(command, options)
        return result, Path("session.jsonl").read_text("utf-8")

    return run


def assert_nothing_of_them(*texts):
    for text in texts:
        assert not any(word in text for word in ("mine", "token-of-the", "eyJ")), text


def test_neither_keys_nor_tokens_are_shown_or_recorded_whoever_said_them(tried):
    result, recorded = tried()

    assert result.exit_code == 0, result.output
    assert 4 == recorded.count('\\"{session}\\"')
    assert "{token}" in result.output
    assert "the first: " in result.output
    assert_nothing_of_them(result.output, recorded)


def test_a_refusal_that_quotes_the_key_is_told_without_it(tried):
    result, recorded = tried("refuse")

    assert isinstance(result.exception, UnreachableError)
    assert "no such key: {api_key}" in str(result.exception)
    assert_nothing_of_them(result.output, recorded, str(result.exception))
