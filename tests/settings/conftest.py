"""The plainest dialect, to which each test adds what is wrong."""

from pathlib import Path

import pytest

PLAINEST = """\
dialect: 1
name: d
ws: {url: "{scheme}://{host}:{port}/"}
http: {base: "{scheme}://{host}:{port}"}
channels: {a: {wire: "a.{symbol}"}}
data: {where: {seq: {exists: true}}}
"""


@pytest.fixture
def plainest():
    return PLAINEST


@pytest.fixture
def dialect_file(tmp_path, monkeypatch):
    """Write a dialect where errors name it d.yaml."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("d.yaml").write_text(text, encoding="utf-8")
        return Path("d.yaml")

    return write
