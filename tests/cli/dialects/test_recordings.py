"""Recordings as files."""

import pytest

from capacity.cli.dialects.recordings import load_session
from capacity.domain.errors import ConfigError


def test_a_file_is_read(tmp_path):
    path = tmp_path / "s"
    path.write_text('\ufeff{"a": 1}\n', "utf-8")

    assert 1 == len(load_session(path).frames)


def test_what_cannot_be_read_says_where(tmp_path):
    path = tmp_path / "s"
    path.write_bytes(b"{}\n\xff")

    with pytest.raises(ConfigError, match=r"s:2: not UTF-8 text"):
        load_session(path)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_session(tmp_path / "none")
