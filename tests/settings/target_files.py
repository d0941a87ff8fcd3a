"""A target file that a test changes."""

from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.target import load_target

GOOD = """\
target: 1
name: mine
host: 10.0.0.7
port: 443
tls: true
dialect: deribit
symbols: [BTC-PERPETUAL]
channels: [book, ticker]
agent: {url: "http://10.0.0.7:9101/", token_file: /etc/capacity/token}
limits:
  application_connections: {value: 4000, source: maxconn in haproxy.cfg}
rest: {operation: book}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("t.yaml").write_text(text)
        return Path("t.yaml")

    return write


def changed(**replaced):
    """Return GOOD with whole lines replaced by key; None removes one."""
    lines = [
        line
        for line in GOOD.splitlines()
        if not any(line.startswith(f"{key}:") for key in replaced)
    ]
    return "\n".join(lines + [f"{key}: {value}" for key, value in replaced.items() if value])


def refusal(path):
    with pytest.raises(ConfigError) as error:
        load_target(path)
    return str(error.value)
