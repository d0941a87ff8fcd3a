"""`capacity dialect init`."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.dialects.drafting import command
from capacity.domain.errors import ConfigError
from capacity.settings.target import load_target


def test_a_dialect_and_a_target_are_written_and_the_recording_is_replayed(recorded):
    result = CliRunner().invoke(command, ["okx2", recorded("okx")])
    target = load_target(Path("config/targets/okx2.yaml"))

    assert result.exit_code == 0, result.output
    assert ("ws.okx.com", 8443, True) == (target.host, target.port, target.tls)
    assert (("BTC-USDT", "ETH-USDT"), ("books",)) == (target.symbols, target.channels)
    assert "20 with updates, 3 heartbeats, 2 confirming" in result.output
    assert "number or checksum read in 20 of 20 updates; 0 missing" in result.output


def test_what_is_guessed_and_what_is_secret_is_said(recorded, monkeypatch):
    monkeypatch.setenv("JWT", "x")
    result = CliRunner().invoke(command, ["cb", recorded("coinbase"), "--into", "mine"])

    assert "set values.jwt in the target file: it was in the jwt" in result.output
    assert {"jwt"} == set(load_target(Path("mine/targets/cb.yaml")).values)
    assert "eyJsecret1" not in Path("mine/dialects/cb.yaml").read_text("utf-8")


def test_drafts_name_their_schemas_where_these_are_there(recorded):
    path = recorded("push")
    for kind in ("dialect", "target"):
        schema = Path(f"config/schemas/{kind}.json")
        schema.parent.mkdir(parents=True, exist_ok=True)
        schema.touch()
    CliRunner().invoke(command, ["x", path])
    CliRunner().invoke(command, ["x", path, "--into", "bare"])

    for kind in ("dialect", "target"):
        named = Path(f"config/{kind}s/x.yaml").read_text("utf-8").splitlines()[0]
        assert f"# yaml-language-server: $schema=../schemas/{kind}.json" == named
        assert "schema" not in Path(f"bare/{kind}s/x.yaml").read_text("utf-8")


def test_nothing_is_overwritten(recorded):
    path = recorded("push")
    CliRunner().invoke(command, ["x", path])

    with pytest.raises(ConfigError, match="is there already and is never overwritten"):
        CliRunner().invoke(command, ["x", path], catch_exceptions=False)


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b"])
def test_a_name_becomes_part_of_file_names(recorded, name):
    with pytest.raises(ConfigError, match="NAME must be 1 to 60 letters"):
        CliRunner().invoke(command, [name, recorded("push")], catch_exceptions=False)
