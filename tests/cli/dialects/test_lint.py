"""`capacity dialect lint`."""

import pytest
from click.testing import CliRunner

from capacity.cli.dialects.lint import command
from capacity.domain.errors import ConfigError
from capacity.settings.locate import names_of


def test_every_shipped_dialect_is_right():
    names = names_of("dialects")
    result = CliRunner().invoke(command, names)

    assert result.exit_code == 0
    assert len(names) == result.output.count(": ok: ")
    assert "hyperliquid.yaml: note: no sequence: missing updates cannot be told" in result.output
    assert "nats.yaml: note: no unsubscribe: each step follows all channels" in result.output
    assert "binance.yaml: note" not in result.output


def test_what_is_wrong_names_file_line_and_key(described):
    path = described(subscribe={"send": ["{channel:list}"], "confirm": "first_data"})

    with pytest.raises(ConfigError, match=r"feed.yaml:\d+: subscribe.send: \{channel:list\}"):
        CliRunner().invoke(command, [path], catch_exceptions=False)
