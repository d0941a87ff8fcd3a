"""`capacity dialect record`, and a draft of what it recorded that is tried."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.dialects import drafting, trying
from capacity.cli.dialects.record import command
from capacity.domain.errors import ConfigError


def test_a_recording_is_drafted_and_the_draft_understands_the_server(feed, here):
    url = feed("pinged")
    recorded = CliRunner().invoke(command, [f"{url}/ws", "s.jsonl", "--seconds", "1.2"])
    drafted = CliRunner().invoke(drafting.command, ["venue", "s.jsonl"])
    tried = CliRunner().invoke(
        trying.command, ["--target", "config/targets/venue.yaml", "--seconds", "0.5"]
    )

    assert (0, 0, 0) == (recorded.exit_code, drafted.exit_code, tried.exit_code)
    assert "{rule: plus_one, seq: seq}" in Path("config/dialects/venue.yaml").read_text("utf-8")
    assert "ok: updates: " in tried.output


def test_what_is_sent_is_recorded_as_the_clients(feed, here):
    url = feed("paced")
    shown = CliRunner().invoke(command, [url, "s", "--send", '{"id":1}', "--seconds", "0.1"]).output
    lines = Path("s").read_text("utf-8").splitlines()

    assert '"from":"client","text":"{\\"id\\":1}"' in lines[1]
    assert '"from":"server"' in lines[2]
    # Nobody knows yet what a frame means.
    assert " < " in shown
    assert " = " not in shown


def test_nothing_is_overwritten_and_headers_have_a_colon(here):
    Path("s").touch()

    for arguments, wrong in (
        (["ws://h:1", "s"], "is there already"),
        (["ws://h:1", "t", "--header", "x"], "must be 'Name: value'"),
    ):
        with pytest.raises(ConfigError, match=wrong):
            CliRunner().invoke(command, arguments, catch_exceptions=False)
